"""RoomActions: joining, leaving and opening rooms."""

from aws_iot.chat.actions.base import Actions
from aws_iot.chat.model import events as on
from aws_iot.chat.model.attention import LEVELS, MENTIONS, NONE
from aws_iot.chat.model.state import Draft, Room


class RoomActions(Actions):
    """Joins, leaves and opens rooms."""

    def open(self, room: str, *, at_end: bool = False) -> None:
        self.app.keep_draft()
        self.bridge.act(on.RoomOpened(room, at_end))

    def do_join(self, argument: str) -> None:
        doubt = self.doubt(argument) if argument else "Which room? /join ROOM"
        if doubt and not (argument and argument == self.doubtful):
            self.doubtful = argument
            self.app.tell(doubt)
        else:
            self.open(argument)

    def do_leave(self, argument: str) -> None:
        self.app.keep_draft()
        self.bridge.act(on.RoomLeft(argument or self.bridge.state.current))

    def do_rooms(self, _: str) -> None:
        state = self.bridge.state
        names = sorted(state.room_names(), key=lambda name: not state.rooms[name].unread)
        listed = ", ".join(self._described(state.rooms[name]) for name in names)
        self.app.tell(f"{len(names)} rooms: {listed}" if len(names) > 1 else listed)

    def _described(self, room: Room) -> str:
        marks = [f"{room.unread} unread"] if room.unread else []
        marks += ["draft"] if room.draft != Draft() and room.name != self.bridge.state.current else []
        marks += ["muted"] if self.bridge.state.me.levels.get(room.name) == NONE else []
        return f"{room.name} ({', '.join(marks)})" if marks else room.name

    def _step(self, by: int) -> None:
        names = self.bridge.state.room_names()
        if names:
            self.open(names[(names.index(self.bridge.state.current) + by) % len(names)])

    def do_next_room(self, _: str) -> None:
        self._step(1)

    def do_previous_room(self, _: str) -> None:
        self._step(-1)

    def do_next_unread(self, _: str) -> None:
        names = self.bridge.state.room_names()
        at = names.index(self.bridge.state.current)
        unread = [name for name in names[at + 1 :] + names[:at] if self.bridge.state.rooms[name].unread]
        if unread:
            self.open(unread[0], at_end=True)
        else:
            self.app.tell("No other room has unread messages.")

    def do_mute(self, argument: str) -> None:
        room, level = self.bridge.state.current, argument.lower()
        if not level:
            level = MENTIONS if self.bridge.state.me.levels.get(room) == NONE else NONE
        if level not in LEVELS:
            self.app.tell(f"Use one of: {', '.join(f'/mute {one}' for one in LEVELS)}")
        else:
            self.bridge.act(on.LevelSet(room, level))
