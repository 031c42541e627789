"""People: who is in a room or has written there, in the order in which they are listed."""

from itertools import islice
from typing import NamedTuple

from aws_iot.chat.model.presence import OFF
from aws_iot.chat.model.state import Link, State
from aws_iot.messaging.kinds import Sign


class Listed(NamedTuple):
    """Somebody, by the name that they have here, and by the one that they claim.

    `sign` is None if they are not known to be here; `is_unknown`, if this chat could not be told yet.
    """

    identity: str
    name: str | None
    claimed: str | None
    sign: Sign | None = None
    is_unknown: bool = False


def people_of(state: State, most: int | None = None) -> list[Listed]:
    """The people of the open room: first those who are here, then those who are idle, then who else has written.

    Among these, who wrote last comes first. Typing moves nobody. Not more than `most` are listed. Without a connection,
    it is unknown who is still here.
    """
    presence, room = state.presence, state.room
    here, is_online = presence.here(room.name), state.status.link is Link.ONLINE
    if presence.mode != OFF and is_online and room.is_joined:
        here[state.me.identity] = Sign.IDLE if presence.activity.is_idle else Sign.ONLINE, state.name

    def rank(identity: str) -> tuple[object, ...]:
        (sign, name), wrote = here[identity], room.people.get(identity)
        return sign is Sign.IDLE, -wrote.last.timestamp() if wrote else 0.0, name or "", identity

    def entry(identity: str, claimed: str | None, sign: Sign | None = None) -> Listed:
        return Listed(identity, state.name_of(identity, claimed), claimed, sign)

    listed = [entry(identity, here[identity][1], here[identity][0]) for identity in sorted(here, key=rank)]
    if not is_online:
        listed = [one._replace(sign=None, is_unknown=True) for one in listed]
    writers = (one for one in reversed(room.people.values()) if one.identity not in here)
    left = None if most is None else max(0, most - len(listed))
    is_unknown = presence.is_unknown(room.name) or (presence.mode != OFF and not is_online)
    listed += [entry(one.identity, one.name)._replace(is_unknown=is_unknown) for one in islice(writers, left)]
    return listed[:most]
