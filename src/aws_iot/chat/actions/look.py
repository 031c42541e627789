"""LookActions: scrolling, searching, people, panels, help."""

from collections.abc import Sequence

from aws_iot.chat.actions.base import Actions
from aws_iot.chat.model import events as on
from aws_iot.chat.model.people import people_of
from aws_iot.chat.model.presence import MODES, OFF
from aws_iot.chat.text.people import who
from aws_iot.identities import IdentityPrefix
from aws_iot.messaging.kinds import Sign

_GROUPS = {Sign.TYPING: "Typing", Sign.ONLINE: "Online", Sign.IDLE: "Idle", None: "Have written here"}


MOST_LISTED = 30
"""How many people of a kind `/who` lists. Of hundreds, a screen would show a part, and a screen reader read all."""


def _listed(people: Sequence[str]) -> str:
    more = len(people) - MOST_LISTED
    return ", ".join(people[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


class LookActions(Actions):
    """Shows something else."""

    def do_page_up(self, _: str) -> None:
        self.app.scroll(-1)

    def do_page_down(self, _: str) -> None:
        self.app.scroll(1)

    def do_newest(self, _: str) -> None:
        self.app.show_newest()

    def do_first_unread(self, _: str) -> None:
        self.bridge.act(on.WentToUnread())

    def do_goto(self, argument: str) -> None:
        from aws_iot.history.times import InvalidTime  # here: few people need it
        from aws_iot.history.times import parse as parse_time

        if not argument:
            self.app.tell("To which day or time? /goto TIME, such as yesterday, 2h or 14:00")
            return
        try:
            moment = parse_time(argument, self.now()).start
        except InvalidTime as error:
            self.app.tell(str(error))
            return
        self.bridge.act(on.Went(self.bridge.state.current, moment=moment))

    def do_find(self, argument: str) -> None:
        self.app.search(argument, self.bridge.state.current)

    def do_search(self, argument: str) -> None:
        self.app.search(argument, None)

    def do_who(self, _: str) -> None:
        by_sign: dict[Sign | None, list[str]] = {}
        for one in people_of(self.bridge.state):
            by_sign.setdefault(one.sign, []).append(who(one.identity, one.name, 30))
        groups = [f"{what}: {_listed(by_sign[sign])}" for sign, what in _GROUPS.items() if sign in by_sign]
        if any(one.is_unknown for one in people_of(self.bridge.state)):
            groups.append("Who of them is here is not known yet.")
        self.app.tell(". ".join(groups) or "Nobody has written here.")

    def do_presence(self, argument: str) -> None:
        presence, mode = self.bridge.state.presence, argument.lower()
        if mode in MODES:
            self.bridge.act(on.PresenceSet(mode))
        elif mode:
            self.app.tell(f"Use one of: {', '.join(f'/presence {one}' for one in MODES)}")
        elif presence.mode != OFF and presence.is_quiet(self.bridge.state.current):
            self.app.tell(
                f"Presence is {presence.mode}, but this room learns nothing:"
                " a program that shows it as messages has written here, or you may not write here."
            )
        else:
            self.app.tell(f"Presence is {presence.mode}.")

    def do_reconnect(self, _: str) -> None:
        self.bridge.act(on.ReconnectAsked())

    def do_alias(self, argument: str) -> None:
        whom, _, name = argument.partition(" ")
        state = self.bridge.state
        if not whom:
            listed = ", ".join(who(identity, alias, 40) for identity, alias in state.me.aliases.items())
            self.app.tell(
                f"Your aliases: {listed}" if listed else "You have no aliases. To give one: /alias WHO NAME"
            )
            return
        prefix = IdentityPrefix.parse(whom)
        claimed = {one.identity: one.name for room in state.rooms.values() for one in room.people.values()}
        claimed |= {identity: name for identity, (_, name) in state.presence.here(state.current).items()}
        found = [
            identity
            for identity, name in claimed.items()
            if (prefix and prefix.matches(identity))
            or not {whom, whom.removeprefix("@")}.isdisjoint((name, state.name_of(identity, name)))
        ]
        if len(found) != 1:
            several = f"Several people are called {whom}" if found else f"Nobody here is called {whom}"
            self.app.tell(f"{several}. Use the characters after ~, as in /alias 4f9fa251 Al.")
        else:
            self.bridge.act(on.Aliased(found[0], name.strip()))

    def do_toggle_rooms(self, _: str) -> None:
        self.app.toggle_panel("rooms")

    def do_toggle_people(self, _: str) -> None:
        self.app.toggle_panel("people")

    def do_help(self, _: str) -> None:
        self.app.show_help()

    def do_nick(self, argument: str) -> None:
        self.bridge.act(on.Renamed(argument or self.bridge.state.me.username))

    def do_export(self, argument: str) -> None:
        if argument.lower().endswith((".jsonl", ".md", ".csv")):
            self.bridge.act(on.Exported(self.bridge.state.current, argument))
        else:
            self.app.tell("To which file? /export FILE.jsonl, FILE.md or FILE.csv")

    def do_palette(self, _: str) -> None:
        self.app.show_palette()

    def do_editor(self, _: str) -> None:
        from aws_iot.chat.actions.editor import NoEditor, edited

        try:
            self.app.edit_draft(edited)
        except NoEditor as error:
            self.app.tell(str(error))

    def do_clear(self, _: str) -> None:
        self.app.clear_draft()

    def do_redraw(self, _: str) -> None:
        self.app.redraw()

    def do_suspend(self, _: str) -> None:
        self.app.stop()

    def do_quit(self, _: str) -> None:
        self.app.quit()
