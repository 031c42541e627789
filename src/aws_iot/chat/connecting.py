"""Connector: signs in without asking, and connects. All connections of a run use one session of the broker."""

from __future__ import annotations  # so that what only types need is not imported

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from aws_iot.chat.model.presence import OFF
from aws_iot.chat.parts.rooms import Line
from aws_iot.errors import AwsIotError, LocalError, NotAccepted, TakenOver

if TYPE_CHECKING:
    from aws_iot.app import App
    from aws_iot.auth.token_refresher import ActiveSession
    from aws_iot.chat.model.state import State
    from aws_iot.config.profile import Profile
    from aws_iot.messaging.connection import Connection, Publication

CONNECT_SECONDS = 1.0
"""Minimum time between two CONNECTs of one client ID: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

# What signs in and connects is imported by the thread that needs it, once the screen is there.


class Chatter(NamedTuple):
    """Who chats, and where. `session` was signed in for this run only; None uses the saved one."""

    profile: Profile
    identity: str
    username: str
    session: ActiveSession | None = None


class Connector:
    """Connects for one run of the chat. So a later connection gets what was published since the one before."""

    def __init__(self, app: App, chatter: Chatter, state: State) -> None:
        """`state` is only read: it tells which room is open."""
        self._app = app
        self._chatter = chatter
        self._state = state
        self._session = _new_name()

    def connect(self, ended: AwsIotError | None = None) -> Line:
        """A new connection; `ended` is what has ended the last one. Raises what signing in and connecting raise."""
        from aws_iot.auth.login import SignInRequest
        from aws_iot.auth.prompter import NoPrompter

        app, profile = self._app, self._chatter.profile
        if isinstance(ended, TakenOver):  # both would take the session from each other for ever
            self._session = _new_name()
        app.config.require_stack(profile)
        person = self._chatter.session or app.auth.login(profile).sign_in(
            SignInRequest(self._chatter.username, None), NoPrompter(profile.key)
        )
        connection = self._open(person)
        with suppress(LocalError):
            app.auth.sessions.note_connected(profile.key, person.identity)
        client = app.messaging.client(profile, connection, person.identity, person.username, presence=True)
        return Line(client, connection)

    def _open(self, person: ActiveSession) -> Connection:
        """A policy may forbid the will or the session. The broker rejects the connection, and does not tell why."""
        from aws_iot.messaging.connect import of_user, open_connection

        profile = self._chatter.profile
        bare = partial(self._app.messaging.connect, of_user(profile, person))
        connect = partial(bare, is_temporary=True)
        if will := _will(profile.identity_pool_id, self._state):
            began = time.monotonic()
            try:
                return open_connection(person, partial(connect, will=will), durable=self._session)
            except NotAccepted:
                self._app.settings.pause(max(0.0, began + CONNECT_SECONDS - time.monotonic()))
        try:
            return open_connection(person, connect, durable=self._session)
        except NotAccepted:
            connection = open_connection(person, bare)  # with another client ID
            self._session = _new_name()  # a session from before would deliver again what this one receives
            return connection


def _new_name() -> str:
    return os.urandom(8).hex()


def _will(pool: str, state: State) -> Publication | None:
    """What the broker tells the open room if this chat crashes. MQTT allows one will, so other rooms learn it later.

    It is called on the thread that connects, and only looks which room is open.
    """
    from aws_iot.messaging.connection import Publication
    from aws_iot.messaging.kinds import PRESENCE, Sign
    from aws_iot.messaging.message import encode
    from aws_iot.messaging.topics import topic

    room, presence = state.current, state.presence
    if not room or presence.mode == OFF or presence.is_quiet(room):
        return None
    properties = ("name", state.name), ("kind", PRESENCE), ("re", presence.chat)
    return Publication(topic(pool, room, state.me.identity), encode(Sign.OFFLINE.value), properties, qos=0)
