"""Signing in and connecting: what `sub` and `pub` do first."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from aws_iot.app import App
from aws_iot.cli.messages import notice
from aws_iot.cli.output import words
from aws_iot.cli.sign_in import signed_in
from aws_iot.kept import Kept, SignIn
from aws_iot.profile import Profile
from aws_iot.room import Rooms


@contextmanager
def entered(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    tell: bool = False,
) -> Iterator[Rooms]:
    """The rooms of the profile, over a connection that is closed in the end; `tell` shows what an admin needs."""
    sign_in, kept = signed_in(app, profile, user, password, from_stdin)
    username, identity = kept.session.username, kept.credentials.identity
    if tell:
        for line in notice(username, identity, profile.identity_pool_id).splitlines():
            words(line)
    connection = app.connect(profile, identity, sign_in.credentials(kept).current)
    try:
        yield app.rooms(profile, connection, identity, username)
    finally:
        connection.close()


@contextmanager
def connected(
    sign_in: SignIn, kept: Kept, app: App, profile: Profile, connections: int
) -> Iterator[list[Rooms]]:
    """The rooms of the profile, over as many connections; all are closed in the end."""
    username, identity = kept.session.username, kept.credentials.identity
    credentials = sign_in.credentials(kept).current
    with ExitStack() as opened:
        places = []
        for _ in range(connections):
            connection = app.connect(profile, identity, credentials)
            opened.callback(connection.close)
            places.append(app.rooms(profile, connection, identity, username))
        yield places
