"""Doctor: finds why it does not work, by doing what `sub` and `pub` do, one step after the other."""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from aws_iot.connection import Connection, Delivery
from aws_iot.credentials import CredentialIssuer, Credentials
from aws_iot.errors import AwsIotError, TopicRefused
from aws_iot.message import encode, timestamp, to_properties
from aws_iot.profile import Profile
from aws_iot.room import check_room, topic, topic_filter
from aws_iot.session import Session


class Seen(NamedTuple):
    """What was found to be well, in words; `advice` is about what may spoil it later."""

    text: str
    advice: str = ""


class Services(Protocol):
    """The services of a profile, as far as they can be looked at one thing at a time.

    Every method raises the `AwsIotError` that says what is wrong.
    """

    def names(self) -> Seen:
        """Whether the names of all hosts are known."""
        ...

    def proxies(self) -> Seen:
        """Whether the proxy of the environment, if it names one, lets us through."""
        ...

    def certificates(self) -> Seen:
        """Whether all hosts can be reached, and show certificates that are trusted."""
        ...

    def clock(self) -> Seen:
        """Whether this machine's clock is right by that of the services."""
        ...

    def user_pool(self, username: str | None) -> Seen:
        """Whether the user pool and its app client are there, and take sign-ins as we make them."""
        ...

    def upgrade(self, credentials: Credentials) -> Seen:
        """Whether the broker opens a WebSocket for these credentials."""
        ...


class Person(NamedTuple):
    """Whose session it is, and how they come by it."""

    session: Session
    how: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a step. One with neither `seen` nor an `error` was not made: an earlier one stood in the way.

    `checked` says what the step is for; `seconds` is how long it took.
    """

    step: str
    checked: str
    seconds: float = 0.0
    seen: Seen | None = None
    error: AwsIotError | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What an examination is made with: the profile, and what stands behind each seam for it."""

    profile: Profile
    services: Services
    issuer: CredentialIssuer
    connect: Callable[[str, Callable[[], Credentials]], Connection]


class Examination:
    """Looks at one thing after the other, in the order in which `sub` and `pub` need them.

    `load` finds the parts, `sign_in` somebody signed in, with live tokens; `username` is who it will be, if that is
    known before. `wait` is for how many seconds the echo of a message may take. `clock` is in seconds.
    """

    def __init__(
        self,
        load: Callable[[], Parts],
        sign_in: Callable[[], Person],
        username: Callable[[], str | None],
        room: str,
        now: Callable[[], datetime],
        wait: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._load = load
        self._sign_in = sign_in
        self._username = username
        self._room = room
        self._now = now
        self._wait = wait
        self._clock = clock
        self._connection: Connection | None = None
        self._secrets: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """Each step as soon as it is over. After one that fails those are named that were not made."""
        steps: tuple[tuple[str, str, Callable[[], Seen]], ...] = (
            ("profile", "the profile is there and complete", self._profile),
            ("names", "the services' host names are known", lambda: self._parts.services.names()),
            ("proxy", "the proxy lets through", lambda: self._parts.services.proxies()),
            ("tls", "hosts answer, certificates are trusted", lambda: self._parts.services.certificates()),
            ("clock", "the clock is right", lambda: self._parts.services.clock()),
            ("user-pool", "the user pool and its app client take sign-ins", self._user_pool),
            ("sign-in", "you can sign in", self._person),
            ("identity-pool", "the identity pool takes the sign-in", self._identity),
            ("credentials", "the identity gets AWS credentials", self._credentials),
            ("upgrade", "the broker opens a WebSocket for them", self._upgrade),
            ("connect", "the broker accepts the identity", self._connect),
            ("subscribe", "the identity may listen", self._subscribe),
            ("publish", "the identity may speak", self._publish),
            ("echo", "what is said is heard", self._echo),
        )
        failed = False
        try:
            for step, checked, look in steps:
                finding = Finding(step, checked) if failed else self._made(step, checked, look)
                failed = failed or finding.error is not None
                yield finding
        finally:
            if self._connection:
                self._connection.close()

    def _made(self, step: str, checked: str, look: Callable[[], Seen]) -> Finding:
        began = self._clock()
        seen, failure = None, None
        try:
            seen = Seen(*map(self._redacted, look()))
        except AwsIotError as error:
            hint = error.hint and self._redacted(error.hint)
            failure = type(error)(self._redacted(str(error)), hint=hint)
        return Finding(step, checked, self._clock() - began, seen, failure)

    def _redacted(self, text: str) -> str:
        """Nothing secret should get as far as this; if it does, it gets no further."""
        longest_first = sorted(filter(None, self._secrets), key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), "[secret]", text) if longest_first else text

    # -- the steps; each leaves what those behind it need

    def _profile(self) -> Seen:
        self._parts = self._load()
        profile = self._parts.profile
        note = ""
        if profile.identity_pool_region != profile.iot_region:
            note = (
                f"The identity pool is in {profile.identity_pool_region}, the broker in {profile.iot_region}."
            )
        if _is_without_ats(profile.endpoint.host):
            note += " The endpoint is not one of type iot:Data-ATS: few programs still trust its certificate."
        return Seen(
            f"{profile.key}: {profile.user_pool_id}, {profile.identity_pool_id}, {profile.endpoint}",
            note.strip(),
        )

    def _user_pool(self) -> Seen:
        return self._parts.services.user_pool(self._username())

    def _person(self) -> Seen:
        person = self._sign_in()
        self._session = person.session
        tokens = (person.session.id_token, person.session.access_token, person.session.refresh_token)
        self._secrets.update(token or "" for token in tokens)
        return Seen(f"{person.session.username}, {person.how}")

    def _identity(self) -> Seen:
        self._known = self._parts.issuer.identify(self._session)
        return Seen(self._known)

    def _credentials(self) -> Seen:
        keys = self._keys = self._parts.issuer.issue(self._session, self._known)
        self._secrets.update((keys.access_key_id, keys.secret_access_key, keys.session_token))
        return Seen(f"until {timestamp(keys.expires)}")

    def _upgrade(self) -> Seen:
        return self._parts.services.upgrade(self._keys)

    def _connect(self) -> Seen:
        self._connection = self._parts.connect(self._keys.identity, lambda: self._keys)
        return Seen(f"as {self._keys.identity}")

    def _subscribe(self) -> Seen:
        check_room(self._parts.profile.identity_pool_id, self._room)
        wanted = topic_filter(self._parts.profile.identity_pool_id, self._room, self._keys.identity)
        self._open.subscribe([wanted])
        return Seen(wanted)

    def _publish(self) -> Seen:
        where = topic(self._parts.profile.identity_pool_id, self._room, self._keys.identity)
        self._said_at = self._clock()
        self._id = os.urandom(16).hex()
        properties = to_properties(self._id, self._now(), self._session.username)
        self._open.publish(where, encode("aws-iot doctor"), properties)
        return Seen(f"{where}, acknowledged")

    def _echo(self) -> Seen:
        until = time.monotonic() + self._wait
        while (left := until - time.monotonic()) > 0:
            event = self._open.receive(left)
            if isinstance(event, Delivery) and ("id", self._id) in event.properties:
                return Seen(f"after {(self._clock() - self._said_at) * 1000:.0f} ms at most")
        raise TopicRefused(
            f"not authorized to receive from the room '{self._room}', it seems: what was said there was"
            f" acknowledged, and did not come back within {self._wait:g} seconds",
            hint="So it is where no policy allows iot:Receive on the topic: ask an admin.",
        )

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("not connected")
        return self._connection


def _is_without_ats(host: str) -> bool:
    """Whether AWS kept it for old devices: docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html"""
    first, _, rest = host.partition(".")
    return rest.startswith("iot.") and not first.endswith("-ats") and ".amazonaws.com" in rest
