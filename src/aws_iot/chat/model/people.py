"""People: who is in a room or has written there, in the order in which they are listed."""

from typing import NamedTuple

from aws_iot.chat.model.presence import OFF
from aws_iot.chat.model.state import Link, State
from aws_iot.messaging.kinds import Sign


class Listed(NamedTuple):
    """Somebody, by the name that they have here. `sign` is None if they are not known to be here."""

    identity: str
    name: str | None
    sign: Sign | None = None


def people_of(state: State) -> list[Listed]:
    """The people of the open room: first those who are here, then those who are idle, then who else has written.

    Among these, who wrote last comes first. Typing moves nobody.
    """
    presence, room = state.presence, state.room
    here = presence.here(room.name)
    if presence.mode != OFF and state.status.link is Link.ONLINE and room.is_joined:
        here[state.identity] = Sign.IDLE if presence.activity.is_idle else Sign.ONLINE, state.name
    names = {one.identity: one.name for one in reversed(room.people.values())}
    silent = sorted((name or "", identity) for identity, (_, name) in here.items() if identity not in names)
    names |= {identity: here[identity][1] for _, identity in silent}
    listed = [
        Listed(identity, state.name_of(identity, name), here[identity][0] if identity in here else None)
        for identity, name in names.items()
    ]
    return sorted(listed, key=_rank)


def _rank(one: Listed) -> int:
    return 2 if one.sign is None else 1 if one.sign is Sign.IDLE else 0
