"""The checks of doctor: what `sub` and `pub` do, one step at a time."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from aws_iot.auth.credentials import CredentialIssuer, Credentials
from aws_iot.auth.session import Session
from aws_iot.config.partitions import region_of_iot_host
from aws_iot.config.profile import Profile
from aws_iot.deadline import in_seconds
from aws_iot.doctor.probes import CheckResult, Probes
from aws_iot.doctor.redaction import secrets_of
from aws_iot.errors import NotAuthorized, TopicRefused, Unreachable
from aws_iot.messaging.connect import key_for_admin
from aws_iot.messaging.connection import Connection, Lost, Publication
from aws_iot.messaging.message import encode, timestamp, to_properties
from aws_iot.messaging.topics import topic, topic_filter

TEXT = "aws-iot doctor"
"""The text of the test message."""


class SignedIn(NamedTuple):
    """A session with valid tokens; `how` describes where they came from."""

    session: Session
    how: str


@dataclass(frozen=True, slots=True)
class Services:
    """The profile, and the services behind it."""

    profile: Profile
    probes: Probes
    issuer: CredentialIssuer
    connect: Callable[[Profile, str, Callable[[], Credentials]], Connection]


@dataclass(frozen=True, slots=True)
class Setup:
    """What the checks are made with.

    `load` finds the services; it raises `ProfileError` if the profile is missing or damaged. `sign_in` signs a person
    in, and `username` is the name of that person if it is already known. A test message is sent in `room`, and must
    return within `echo_seconds`. `clock` is in seconds. `room_hint` is the first advice if the room is refused.
    """

    load: Callable[[], Services]
    sign_in: Callable[[], SignedIn]
    username: Callable[[], str | None]
    room: str
    now: Callable[[], datetime]
    echo_seconds: float
    clock: Callable[[], float] = time.perf_counter
    room_hint: str = ""


class Check(NamedTuple):
    """One check: its name, what it checks (a clause that can follow "whether"), and how."""

    step: str
    checked: str
    run: Callable[[], CheckResult]


class Checks:
    """All checks for one setup. Each needs the ones before it, because they save what they found."""

    _services: Services
    _session: Session
    _identity: str
    _credentials: Credentials
    _connection: Connection
    _sent_at: float

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._message_id = os.urandom(16).hex()
        self.closing = ExitStack()
        self.secrets: set[str] = set()

    def in_order(self) -> tuple[Check, ...]:
        """The checks in the order in which `sub` and `pub` depend on them."""
        return (
            Check("profile", "the profile exists and is complete", self._check_profile),
            Check("names", "the host names resolve", lambda: self._services.probes.names()),
            Check("proxy", "the proxy connects to the hosts", lambda: self._services.probes.proxies()),
            Check(
                "tls",
                "the hosts answer with trusted certificates",
                lambda: self._services.probes.certificates(),
            ),
            Check("clock", "the clock is right", lambda: self._services.probes.clock()),
            Check("user-pool", "the user pool and its app client accept sign-ins", self._check_user_pool),
            Check("sign-in", "you can sign in", self._check_sign_in),
            Check("identity-pool", "the identity pool accepts the sign-in", self._check_identity),
            Check("credentials", "the identity gets AWS credentials", self._check_credentials),
            Check("upgrade", "the broker opens a WebSocket", self._check_upgrade),
            Check("connect", "the broker accepts the identity", self._check_connect),
            Check("subscribe", "the identity may subscribe", self._check_subscribe),
            Check("publish", "the identity may publish", self._check_publish),
            Check("echo", "the test message comes back", self._check_echo),
        )

    def _check_profile(self) -> CheckResult:
        self._services = self._setup.load()
        profile = self._services.profile
        advice = []
        if profile.identity_pool_region != profile.iot_region:
            advice.append(
                f"The identity pool is in {profile.identity_pool_region}, the broker in {profile.iot_region}."
            )
        if _is_without_ats(profile.endpoint.host):
            advice.append(
                "The endpoint is not of type iot:Data-ATS; few programs still trust its certificate."
            )
        where = f"{profile.user_pool_id}, {profile.identity_pool_id}, {profile.endpoint}"
        return CheckResult(f"{profile.key}: {where}", "\n".join(advice))

    def _check_user_pool(self) -> CheckResult:
        return self._services.probes.user_pool(self._setup.username())

    def _check_sign_in(self) -> CheckResult:
        signed_in = self._setup.sign_in()
        session = self._session = signed_in.session
        refresh_token = session.refresh_token.value if session.refresh_token else ""
        self.secrets.update((session.id_token, session.access_token, refresh_token))
        return CheckResult(f"{session.username}, {signed_in.how}")

    def _check_identity(self) -> CheckResult:
        self._identity = self._services.issuer.identify(self._session)
        return CheckResult(self._identity)

    def _check_credentials(self) -> CheckResult:
        credentials = self._credentials = self._services.issuer.issue(self._session, self._identity)
        self.secrets.update(secrets_of(credentials))
        return CheckResult(f"valid until {timestamp(credentials.expires)}")

    def _check_upgrade(self) -> CheckResult:
        return self._services.probes.upgrade(self._credentials)

    def _check_connect(self) -> CheckResult:
        identity = self._credentials.identity
        profile = self._services.profile._replace(username=self._session.username)
        self._connection = self._services.connect(profile, identity, lambda: self._credentials)
        self.closing.callback(self._connection.close)
        return CheckResult(f"as {identity}")

    def _check_subscribe(self) -> CheckResult:
        pool = self._services.profile.identity_pool_id
        room_filter = topic_filter(pool, self._setup.room, self._credentials.identity)
        with self._suggest_policy_check():
            self._connection.subscribe([room_filter])
        return CheckResult(room_filter)

    def _check_publish(self) -> CheckResult:
        pool = self._services.profile.identity_pool_id
        where = topic(pool, self._setup.room, self._credentials.identity)
        properties = to_properties(self._message_id, self._setup.now(), self._session.username)
        self._sent_at = self._setup.clock()
        with self._suggest_policy_check():
            self._connection.publish(Publication(where, encode(TEXT), properties))
        return CheckResult(f"{where}, acknowledged")

    def _check_echo(self) -> CheckResult:
        seconds = self._setup.echo_seconds
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            event = self._connection.receive(left)
            if isinstance(event, Lost):
                raise Unreachable(
                    f"the connection was lost before the message came back: {event.cause}", hint="Try again."
                )
            if isinstance(event, Publication) and ("id", self._message_id) in event.properties:
                took = (self._setup.clock() - self._sent_at) * 1000
                return CheckResult(f"it came back after {took:.0f} ms")
        with self._suggest_policy_check():
            raise TopicRefused(
                f"probably not authorized to receive from the room '{self._setup.room}': the test message was"
                f" acknowledged, but did not come back within {in_seconds(seconds)}",
                hint="This happens if no policy allows iot:Receive on the topic. Ask an admin.",
            )

    @contextmanager
    def _suggest_policy_check(self) -> Iterator[None]:
        """Add to a refusal how to find the policy behind it."""
        try:
            yield
        except NotAuthorized as error:
            command = (
                f"aws-iot policy -r {shlex.quote(self._setup.room)}"
                f" --identity {self._credentials.identity}{key_for_admin(self._services.profile)}"
            )
            room_hint = self._setup.room_hint if isinstance(error, TopicRefused) else ""
            line = f"An admin can find out which policy refuses it: {command}"
            error.hint = "\n".join(filter(None, (room_hint or error.hint, line)))
            raise


def _is_without_ats(host: str) -> bool:
    """Whether AWS keeps this endpoint only for old devices.

    docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html
    """
    first, _, rest = host.partition(".")
    return rest.startswith("iot.") and not first.endswith("-ats") and region_of_iot_host(host) is not None
