"""Signing in and connecting, for the commands that send and receive."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from aws_iot.app import App
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.cli.sign_in import sign_in, suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import is_verbose
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError, NotAccepted
from aws_iot.messaging.client import Client
from aws_iot.messaging.composer import SentSaver
from aws_iot.messaging.connect import AcceptanceWait, of_user, open_connection


@contextmanager
def connected(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    show_identity: bool = False,
    durable: str | None = None,
    wait: AcceptanceWait | None = None,
) -> Iterator[Client]:
    """The client of the profile, over a connection that is closed at the end.

    `show_identity` shows what an admin needs, until the person has connected once, or with `--verbose`. With `durable`,
    the broker keeps the session under this name. `wait` tries again until an admin has accepted the identity.
    """
    with suggest_doctor(profile.key):
        app.config.require_stack(
            profile
        )  # before the identity is shown, which a restarted stack does not know
        person = sign_in(app, profile, user, password, from_stdin)
        sessions = app.auth.sessions
        if show_identity and (is_verbose() or not sessions.has_connected(profile.key, person.identity)):
            from aws_iot.cli.ui.formatting import notice  # here, because `pub` does not need it

            for line in notice(person.username, person.identity, profile.identity_pool_id).splitlines():
                output.info(line)
        connection = open_connection(
            person, partial(app.messaging.connect, of_user(profile, person)), durable=durable, wait=wait
        )
    with suppress(LocalError):  # a folder that cannot be written is no reason to stop here
        sessions.note_connected(profile.key, person.identity)
    try:
        yield app.messaging.client(profile, connection, person.identity, person.username, durable)
    finally:
        connection.close()


def acceptance_wait(app: App, seconds: float | None) -> AcceptanceWait:
    """The policy to wait until an admin has accepted the identity, at most `seconds`, and to say so once."""
    return AcceptanceWait(app.settings.pause, _report_waiting, seconds)


def _report_waiting(error: NotAccepted) -> None:
    for line in (str(error), *(error.hint or "").splitlines()):
        output.info(line)
    output.info("Waiting until an admin accepts it; Ctrl-C stops.")


@contextmanager
def connected_several(
    person: ActiveSession,
    app: App,
    profile: Profile,
    connections: int,
    saver: Callable[[], SentSaver | None] = lambda: None,
) -> Iterator[list[Client]]:
    """Clients of the profile, over this number of connections. All are closed at the end.

    `saver` gives the `sent_saver` of the clients, see `Client`. It is called first while the network is busy, so that
    making one takes no time of its own, and must then give the same.
    """
    opened = app.messaging.connect_several(
        of_user(profile, person),
        person.identity,
        person.refreshing_credentials().current,
        connections,
        meanwhile=saver,
    )
    with ExitStack() as closing:
        for connection in opened:
            closing.callback(connection.close)
        for connection in opened:  # all of them, before any is waited for
            closing.callback(connection.leave)
        yield [
            app.messaging.client(profile, connection, person.identity, person.username, sent_saver=saver())
            for connection in opened
        ]
