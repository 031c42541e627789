"""Connector: signs in once for `pub`, and connects as often as needed."""

from __future__ import annotations  # so that what only types need is not imported

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

from aws_iot.app import App
from aws_iot.auth.login import SignInRequest
from aws_iot.cli.commands.pub.options import ConversationOptions, DeliveryOptions
from aws_iot.cli.connect import connected_several
from aws_iot.cli.saving import new_recorder
from aws_iot.cli.sign_in import login_of, sign_in, suggest_doctor
from aws_iot.config.profile import Profile
from aws_iot.errors import SignInRefused
from aws_iot.messaging.client import Client

if TYPE_CHECKING:
    from types import TracebackType

    from aws_iot.auth.token_refresher import ActiveSession
    from aws_iot.cli.commands.pub.sent_printer import SentPrinter
    from aws_iot.history.references import Reference
    from aws_iot.history.saving.recorder import Recorder


class SigningIn(NamedTuple):
    """The options that sign in."""

    user: str | None
    password: str | None
    password_stdin: bool


class Connector:
    """Signs in once, connects as often as needed, and saves and prints what was sent. It is a context manager."""

    def __init__(self, app: App, profile: Profile, signing_in: SigningIn, delivery: DeliveryOptions) -> None:
        self.profile = profile
        self._app = app
        self._signing_in = signing_in
        self._delivery = delivery
        self._session: ActiveSession | None = None
        self._saver: Recorder | SentPrinter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._saver:
            self._saver.close()

    @contextmanager
    def connect(self, connections: int, *, may_ask: bool = True) -> Iterator[list[Client]]:
        """Open connections, and close them in the end. `may_ask`: whether to ask for a password if necessary."""
        with ExitStack() as closing:
            with suggest_doctor(self.profile.key):
                session = self._signed_in(may_ask)
                opening = connected_several(
                    session, self._app, self.profile, connections, lambda: self._saver_for(session)
                )
                clients = closing.enter_context(opening)
            yield clients

    def _saver_for(self, session: ActiveSession) -> Recorder | SentPrinter | None:
        """What saves and prints what is sent, the same for each connection."""
        if self._saver:
            return self._saver
        recorder = new_recorder(
            self._app,
            self.profile,
            session.identity,
            session.username,
            no_history=self._delivery.no_history,
        )
        self._saver = recorder
        if self._delivery.as_json:
            from aws_iot.cli.commands.pub.sent_printer import SentPrinter  # here, because few runs need it

            self._saver = SentPrinter(recorder)
        return self._saver

    def _signed_in(self, may_ask: bool) -> ActiveSession:
        if self._session is None:
            user, password, password_stdin = self._signing_in
            if password_stdin and not may_ask:
                raise SignInRefused("the password from standard input was already used, and is not saved")
            self._session = sign_in(self._app, self.profile, user, password, password_stdin, ask=may_ask)
        return self._session

    def reference(self, chosen: ConversationOptions, room: str | None) -> Reference:
        """The message that the options name. Raises `AwsIotError` if it cannot be answered or changed so."""
        from aws_iot.cli.commands.pub.reference import look_up, unverified  # here, because few runs need it

        if self._delivery.no_history or not self.profile.history:
            return unverified(chosen, room)
        identity = self._identity()
        return look_up(self._app.history.file(self.profile, identity), identity, chosen, room)

    def _identity(self) -> str:
        """The identity of the user who sends. With a spool, it is usually known without a network."""
        username = self.expected_username() if self._delivery.spool else None
        if username and (known := self._app.history.identity_of(self.profile, username)):
            return known
        with suggest_doctor(self.profile.key):
            return self._signed_in(may_ask=True).identity

    def expected_username(self) -> str | None:
        """The user who will be signed in, if that is known already."""
        user, password, password_stdin = self._signing_in
        login = login_of(self._app, self.profile)
        return login.expected_username(SignInRequest(user), by_password=bool(password) or password_stdin)
