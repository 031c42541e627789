"""Connecting a signed-in person to the broker: at once, or when an admin has accepted them."""

import math
import shlex
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.backoff import Backoff
from aws_iot.config.endpoint import is_loopback
from aws_iot.config.profile import Profile
from aws_iot.deadline import in_seconds
from aws_iot.errors import NotAccepted, NothingArrived, Unreachable
from aws_iot.messaging.connection import Connection

ACCEPTANCE_BACKOFF = Backoff(5.0, 1.5, 30.0)
"""The seconds between attempts while no admin has accepted the identity."""


APPLY_DELAY = "AWS takes 6 to 8 minutes to apply it."


def apply_delay(profile: Profile) -> str:
    """How long a change of members or policies takes; empty for a broker on this machine."""
    return "" if is_loopback(profile.endpoint.host) else APPLY_DELAY


def acceptance_hint(profile: Profile, identity: str) -> str:
    """How the user of the profile gets accepted. The command works for the person who has to type it.

    That is an admin, who has another profile for the team. Or it is this user, if this machine has the credentials of
    an admin.
    """
    is_admin = profile.admin_credentials_file
    command = accept_command(profile, identity, key=profile.key if is_admin else None)
    do = "Accept it yourself" if is_admin else "Ask an admin to run"
    return "\n".join(filter(None, [f"{do}: {command}", apply_delay(profile)]))


def accept_command(
    profile: Profile | None, identity: str, *, key: str | None, aws_profile: str | None = None
) -> str:
    """What an admin types to accept an identity under the user name of the profile, if that is known.

    POLICY stands for the IoT policy if the profile does not name it, as with the exports files of the npm tool.
    """
    words = ["accept", identity]
    if profile and profile.username:
        words += ["--user", profile.username]
    if not (profile and profile.policy_name):
        words += ["--policy", "POLICY"]
    return admin_command(*words, key=key, aws_profile=aws_profile)


def admin_command(*words: str, key: str | None, aws_profile: str | None = None) -> str:
    """`aws-iot admin` with these words, and the profile and AWS credentials that the person has named."""
    parts = ["aws-iot", "admin", *words, *(["-k", key] if key else [])]
    return shlex.join([*parts, *(["--aws-profile", aws_profile] if aws_profile else [])])


def key_for_admin(profile: Profile) -> str:
    """The option that names the profile, in a command for an admin; empty if the admin is at another machine."""
    return f" -k {profile.key}" if profile.admin_credentials_file else ""


class OpenConnection(Protocol):
    """Opens a connection to a profile's broker. It calls `credentials` for each attempt to connect."""

    def __call__(
        self, identity: str, credentials: Callable[[], Credentials], durable: str | None = None
    ) -> Connection:
        """With `durable`, the broker keeps the session under this name."""
        ...


class AcceptanceWait:
    """The policy to try again until an admin has accepted the identity."""

    def __init__(
        self,
        pause: Callable[[float], None],
        report: Callable[[NotAccepted], None],
        seconds: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff = ACCEPTANCE_BACKOFF,
    ) -> None:
        """`pause` waits for a number of seconds. `report` is called once, before the first wait.

        `seconds` limits the wait; None does not.
        """
        self._pause = pause
        self._report = report
        self._seconds = seconds
        self._clock = clock
        self._backoff = backoff
        self.left = seconds
        """How many of the `seconds` are left after `connect`."""

    def connect(self, connect: Callable[[], Connection]) -> Connection:
        """A connection. Raises what `connect` raises, except `NotAccepted`, and `Unreachable` except at first.

        Raises `NothingArrived` when the time is up.
        """
        delays = iter(self._backoff)
        try:
            return connect()
        except NotAccepted as error:
            self._report(error)
            refusal = error
        seconds = math.inf if self._seconds is None else self._seconds
        ends = self._clock() + seconds
        while (left := ends - self._clock()) > 0:
            self._pause(min(next(delays), left))
            try:
                connection = connect()
            except (NotAccepted, Unreachable):  # a network may be lost for a moment
                continue
            self.left = None if self._seconds is None else max(0.0, ends - self._clock())
            return connection
        raise NothingArrived(
            f"no admin has accepted the identity within {in_seconds(seconds)}", hint=refusal.hint
        )


def of_user(profile: Profile, signed_in: ActiveSession) -> Profile:
    """The profile, with the user name of the person who is signed in. A hint for an admin names it."""
    return profile._replace(username=signed_in.username)


def open_connection(
    signed_in: ActiveSession,
    connect: OpenConnection,
    *,
    durable: str | None = None,
    wait: AcceptanceWait | None = None,
) -> Connection:
    """A connection as the signed-in person, with credentials that are refreshed as needed.

    Raises `NotAccepted` unless there is a `wait`, `NotAuthorized`, `Unreachable`, and what a refresh raises.
    """
    attempt = partial(connect, signed_in.identity, signed_in.refreshing_credentials().current, durable)
    return wait.connect(attempt) if wait else attempt()
