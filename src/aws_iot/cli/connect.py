"""Signing in and connecting: what `sub` and `pub` do first."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from aws_iot.app import App
from aws_iot.auth.login import SignIn
from aws_iot.auth.session_store import Kept
from aws_iot.cli.sign_in import signed_in, suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import notice
from aws_iot.config.profile import Profile
from aws_iot.errors import NotAccepted, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Connection

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0


@contextmanager
def entered(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    tell: bool = False,
    durable: str | None = None,
    wait: bool = False,
) -> Iterator[Client]:
    """The rooms of the profile, over a connection that is closed in the end; `tell` shows what an admin needs.

    With `durable` the broker keeps the session under this name. With `wait` it is tried until an admin
    has accepted the identity.
    """
    with suggest_doctor(profile.key):
        sign_in, kept = signed_in(app, profile, user, password, from_stdin)
        username, identity = kept.session.username, kept.credentials.identity
        if tell:
            for line in notice(username, identity, profile.identity_pool_id).splitlines():
                output.info(line)
        connect = partial(app.connect, profile, identity, sign_in.credentials(kept).current, durable)
        connection = _once_accepted(connect, app.pause) if wait else connect()
    try:
        yield app.client(profile, connection, identity, username, durable)
    finally:
        connection.close()


def _once_accepted(connect: Callable[[], Connection], pause: Callable[[float], None]) -> Connection:
    """A connection, as soon as an admin has accepted the identity; that it has to wait is said once."""
    seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            return connect()
        except NotAccepted as refused:
            if seconds == FIRST_PAUSE_SECONDS:
                for line in (str(refused), *(refused.hint or "").splitlines()):
                    output.info(line)
                output.info("Waiting until one has; Ctrl-C ends it.")
        except Unreachable:  # such as a network that is away for a moment
            if seconds == FIRST_PAUSE_SECONDS:
                raise
        pause(seconds)
        seconds = min(1.5 * seconds, LONGEST_PAUSE_SECONDS)


@contextmanager
def connected(
    sign_in: SignIn, kept: Kept, app: App, profile: Profile, connections: int
) -> Iterator[list[Client]]:
    """The rooms of the profile, over as many connections; all are closed in the end."""
    username, identity = kept.session.username, kept.credentials.identity
    links = app.connect_several(profile, identity, sign_in.credentials(kept).current, connections)
    with ExitStack() as opened:
        for link in links:
            opened.callback(link.close)
        for link in links:  # all of them, before any is waited for
            opened.callback(link.leave)
        yield [app.client(profile, link, identity, username) for link in links]
