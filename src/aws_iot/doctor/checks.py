"""Doctor: finds why it does not work, by doing what `sub` and `pub` do, one step after the other."""

import json
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from urllib.parse import quote

from aws_iot.auth.credentials import CredentialIssuer, Credentials
from aws_iot.auth.session import Session
from aws_iot.config.partitions import region_of_iot_host
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, NotAuthorized, TopicRefused, Unreachable
from aws_iot.messaging.connection import Connection, Lost, Publication
from aws_iot.messaging.message import encode, timestamp, to_properties
from aws_iot.messaging.topics import topic, topic_filter


class CheckResult(NamedTuple):
    """What was found to be well, in words; `advice` is about what may spoil it later."""

    text: str
    advice: str = ""


class Services(Protocol):
    """The services of a profile, as far as they can be looked at one thing at a time.

    Every method raises the `AwsIotError` that says what is wrong.
    """

    def names(self) -> CheckResult:
        """Whether the names of all hosts are known."""
        ...

    def proxies(self) -> CheckResult:
        """Whether the proxy of the environment, if it names one, lets us through."""
        ...

    def certificates(self) -> CheckResult:
        """Whether all hosts can be reached, and show certificates that are trusted."""
        ...

    def clock(self) -> CheckResult:
        """Whether this machine's clock is right by that of the services."""
        ...

    def user_pool(self, username: str | None) -> CheckResult:
        """Whether the user pool and its app client are there, and take sign-ins as we make them."""
        ...

    def upgrade(self, credentials: Credentials) -> CheckResult:
        """Whether the broker opens a WebSocket for these credentials. Tells none of them."""
        ...


class Person(NamedTuple):
    """Whose session it is, with live tokens, and how they come by it, in words."""

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
    seen: CheckResult | None = None
    error: AwsIotError | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What an examination is made with: the profile, and what stands behind each seam for it."""

    profile: Profile
    services: Services
    issuer: CredentialIssuer
    connect: Callable[[str, Callable[[], Credentials]], Connection]


class Diagnosis:
    """Looks at one thing after the other, in the order in which `sub` and `pub` need them.

    `load` finds the parts, `sign_in` somebody signed in; `username` is who it will be, if that is known before.
    `wait` is for how many seconds the echo of a message may take. `clock` is in seconds. `if_refused` is what to do
    first where a policy refuses the room.
    """

    _parts: Parts
    _session: Session
    _identified: str
    _keys: Credentials
    _connection: Connection
    _said_at: float

    def __init__(
        self,
        load: Callable[[], Parts],
        sign_in: Callable[[], Person],
        username: Callable[[], str | None],
        room: str,
        now: Callable[[], datetime],
        wait: float,
        clock: Callable[[], float] = time.perf_counter,
        if_refused: str = "",
    ) -> None:
        self._load = load
        self._sign_in = sign_in
        self._username = username
        self._room = room
        self._now = now
        self._wait = wait
        self._clock = clock
        self._if_refused = if_refused
        self._closing = ExitStack()
        self._secrets: set[str] = set()
        self._id = os.urandom(16).hex()

    def findings(self, begin: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
        """Each step as soon as it is over. After one that fails those are named that were not made.

        `begin` is told the name of each step that is made, before it is.
        """
        steps: tuple[tuple[str, str, Callable[[], CheckResult]], ...] = (
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
        with self._closing:
            for step, checked, look in steps:
                if failed:
                    yield Finding(step, checked)
                    continue
                begin(step)
                finding = self._made(step, checked, look)
                failed = finding.error is not None
                yield finding

    def _made(self, step: str, checked: str, look: Callable[[], CheckResult]) -> Finding:
        began = self._clock()
        seen, failure = None, None
        try:
            seen = CheckResult(*(redacted(text, self._secrets) for text in look()))
        except AwsIotError as error:
            hint = error.hint and redacted(error.hint, self._secrets)
            failure = type(error)(redacted(str(error), self._secrets), hint=hint)
        return Finding(step, checked, self._clock() - began, seen, failure)

    # -- the steps; each leaves what those behind it need

    def _profile(self) -> CheckResult:
        self._parts = self._load()
        profile = self._parts.profile
        advice = []
        if profile.identity_pool_region != profile.iot_region:
            advice.append(
                f"The identity pool is in {profile.identity_pool_region}, the broker in {profile.iot_region}."
            )
        if _is_without_ats(profile.endpoint.host):
            advice.append(
                "The endpoint is not of the type iot:Data-ATS: few programs still trust its certificate."
            )
        where = f"{profile.user_pool_id}, {profile.identity_pool_id}, {profile.endpoint}"
        return CheckResult(f"{profile.key}: {where}", "\n".join(advice))

    def _user_pool(self) -> CheckResult:
        return self._parts.services.user_pool(self._username())

    def _person(self) -> CheckResult:
        person = self._sign_in()
        self._session = person.session
        session = person.session
        refresh_token = session.refresh_token.value if session.refresh_token else ""
        self._secrets.update((session.id_token, session.access_token, refresh_token))
        return CheckResult(f"{person.session.username}, {person.how}")

    def _identity(self) -> CheckResult:
        self._identified = self._parts.issuer.identify(self._session)
        return CheckResult(self._identified)

    def _credentials(self) -> CheckResult:
        keys = self._keys = self._parts.issuer.issue(self._session, self._identified)
        self._secrets.update(secrets_of(keys))
        return CheckResult(f"until {timestamp(keys.expires)}")

    def _upgrade(self) -> CheckResult:
        return self._parts.services.upgrade(self._keys)

    def _connect(self) -> CheckResult:
        self._connection = self._parts.connect(self._keys.identity, lambda: self._keys)
        self._closing.callback(self._connection.close)
        return CheckResult(f"as {self._keys.identity}")

    def _subscribe(self) -> CheckResult:
        wanted = topic_filter(self._parts.profile.identity_pool_id, self._room, self._keys.identity)
        with self._pointing_at_policies():
            self._connection.subscribe([wanted])
        return CheckResult(wanted)

    def _publish(self) -> CheckResult:
        where = topic(self._parts.profile.identity_pool_id, self._room, self._keys.identity)
        properties = to_properties(self._id, self._now(), self._session.username)
        self._said_at = self._clock()
        with self._pointing_at_policies():
            self._connection.publish(Publication(where, encode("aws-iot doctor"), properties))
        return CheckResult(f"{where}, acknowledged")

    def _echo(self) -> CheckResult:
        until = time.monotonic() + self._wait
        while (left := until - time.monotonic()) > 0:
            event = self._connection.receive(left)
            if isinstance(event, Lost):
                raise Unreachable(
                    f"the connection was lost before the message came back: {event.cause}", hint="Try again."
                )
            if isinstance(event, Publication) and ("id", self._id) in event.properties:
                return CheckResult(f"it came back within {(self._clock() - self._said_at) * 1000:.0f} ms")
        with self._pointing_at_policies():
            raise TopicRefused(
                f"not authorized to receive from the room '{self._room}', it seems: what was said there was"
                f" acknowledged, and did not come back within {self._wait:g} seconds",
                hint="So it is where no policy allows iot:Receive on the topic: ask an admin.",
            )

    @contextmanager
    def _pointing_at_policies(self) -> Iterator[None]:
        """Say with what a policy refuses how to find out which."""
        try:
            yield
        except NotAuthorized as error:
            line = (
                f"Which policy refuses it, an admin sees with: aws-iot doctor --policy -r {shlex.quote(self._room)}"
                f" --identity {self._keys.identity} -k {self._parts.profile.key}"
            )
            first = self._if_refused if isinstance(error, TopicRefused) else ""
            error.hint = "\n".join(filter(None, (first or error.hint, line)))
            raise


def secrets_of(credentials: Credentials) -> tuple[str, ...]:
    """What nobody else may see of them."""
    return credentials.secret_access_key, credentials.session_token, credentials.access_key_id


def redacted(text: str, secrets: set[str] | tuple[str, ...]) -> str:
    """`text` without these, as they are or as URLs and JSON write them, and without what signs a URL."""
    forms = {
        form
        for secret in secrets
        for form in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1])
    }
    longest_first = sorted(filter(None, forms), key=len, reverse=True)
    if longest_first:
        text = re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text)
    return re.sub(r"(?i)(x-amz-[\w-]+)(=|%3d)[^&\s\"'<>]*", rf"\1={HIDDEN}", text)


HIDDEN = "[secret]"


def _is_without_ats(host: str) -> bool:
    """Whether AWS kept it for old devices: docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html"""
    first, _, rest = host.partition(".")
    return rest.startswith("iot.") and not first.endswith("-ats") and region_of_iot_host(host) is not None
