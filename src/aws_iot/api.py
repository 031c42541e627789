"""The public Python API: connect with a profile, take part in conversations, and publish many messages.

Import it from `aws_iot`.
"""

from __future__ import annotations  # so that what only types need is not imported

import threading
from typing import TYPE_CHECKING, Any

from aws_iot.app import TIMEOUT_SECONDS, App
from aws_iot.messaging.client import Client as RoomClient
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT, EDIT, REACT, check_reaction
from aws_iot.messaging.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from aws_iot.config.profile import Profile
    from aws_iot.errors import AwsIotError, LocalError
    from aws_iot.history.references import Reference
    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.history.store import Entry, History
    from aws_iot.messaging.connection import Connection, Lost, Restored
    from aws_iot.messaging.deliveries import Flush
    from aws_iot.messaging.message import Outgoing


class Client(RoomClient):
    """Publishes to rooms, receives from them, and reads and searches what was saved on this machine.

    One thread uses it. Use it as a context manager, or call `close`.
    """

    def __init__(
        self,
        app: App,
        profile: Profile,
        connection: Connection,
        saver: Recorder | None,
        **settings: Any,
    ) -> None:
        """`settings` are those of `MessagingBuilder.client_settings`. Use `connect` instead."""
        super().__init__(connection, **settings, sent_saver=saver)
        self._app = app
        self._profile = profile
        self._saver = saver
        self._thread = threading.get_ident()

    def close(self) -> None:
        super().close()
        if (
            self._saver and threading.get_ident() == self._thread
        ):  # otherwise, each message is saved all the same
            self._saver.close()

    def events(self, timeout: float | None = None) -> Iterator[Delivery | Lost | Restored | Flush]:
        for event in super().events(timeout):
            if self._saver and isinstance(event, Delivery):
                self._saver.add(event.message)
                self._saver.flush()
            yield event

    def history(
        self,
        *rooms: str,
        count: int = 100,
        since: datetime | None = None,
        until: datetime | None = None,
        senders: Sequence[str] = (),
    ) -> list[Entry]:
        """The last messages that were saved, oldest first, as they stand: with edits, deletions and reactions.

        Rooms may be patterns; without a room, it reads all. A sender is a name, an identity, or its beginning. `since`
        is included, `until` is not; times without a time zone are local. Raises `LocalError`.
        """
        from aws_iot.history.store import Filter

        with self._opened() as history:
            return history.last(Filter(rooms, senders, since, until), count)

    def search(self, text: str, *rooms: str, count: int = 100) -> list[Entry]:
        """The last saved messages that match, oldest first. `text` is as in `aws-iot history --search`.

        Raises `LocalError`, also for a text that is no search.
        """
        from aws_iot.history.search import parse_search, search

        with self._opened() as history:
            return search(history, parse_search(text, self._app.settings.now()), count, rooms=rooms)

    def reply(self, to: Message | Entry | str, text: str) -> Message:
        """Answer a message: one that you have received, or the ID or the beginning of the ID of a saved one.

        `"last"` is your latest message. Raises `LocalError` if no saved message has this ID, or several, and as
        `publish`. So do `react`, `edit` and `delete`.
        """
        return self._refer(to, None, text)

    def react(self, to: Message | Entry | str, reaction: str) -> Message:
        """React to a message with an emoji or a short word. To take it back, `delete` what this returns."""
        check_reaction(reaction)
        return self._refer(to, REACT, reaction)

    def edit(self, message: Message | Entry | str, text: str) -> Message:
        """Replace the text of a message of yours. Raises `NotAuthorized` if it is not yours."""
        return self._refer(message, EDIT, text)

    def delete(self, message: Message | Entry | str) -> Message:
        """Delete a message, a reaction or an edit of yours. Raises `NotAuthorized` if it is not yours."""
        return self._refer(message, DELETE, DELETED_TEXT)

    def _refer(self, to: Message | Entry | str, kind: str | None, text: str) -> Message:
        room, id_ = self._reference(to, kind)
        return self.publish(room, text, kind=kind, re=id_)

    def _reference(self, to: Message | Entry | str, kind: str | None) -> Reference:
        from aws_iot.history import references

        if isinstance(to, str):
            with self._opened() as history:
                return references.find(history, to, self.identity, kind)
        if isinstance(to, Message):
            references.check(to, self.identity, kind)
            return references.reference_to(to)
        references.check_entry(to, self.identity, kind)
        return references.Reference(to.message.room, to.id)

    def _opened(self) -> History:
        from aws_iot.history.store import History

        return History(self._app.history.file(self._profile, self.identity))


def connect(
    profile: str | Profile = "default",
    *,
    user: str | None = None,
    password: str | None = None,
    durable: str | None = None,
    save: bool = False,
    timeout: float = TIMEOUT_SECONDS,
) -> Client:
    """Sign in with a profile, and connect to its broker. It never prompts or prints.

    `user` is by default the signed-in user, or else the profile's.

    Without `password`, it uses the saved session of `aws-iot login`, refreshed as needed. If there is none, it
    uses the password that is preset in the profile. With `password`, the new session is not saved.

    With `durable`, the broker keeps messages while you are offline, in a session of this name: up to 32 ASCII
    letters, digits, `-` and `_`.

    With `save`, each message that the client sends or receives is saved in the history, as `sub` and `pub` do, unless
    the profile turns that off. If it cannot be saved, you get a `RuntimeWarning`, once, and the client goes on.

    `timeout` limits each step, such as a request or an acknowledgement, in seconds.

    Raises `LocalError`, `SignInRefused`, `NotAuthorized`, `Unreachable` or `ServiceRefused`.
    """
    if timeout <= 0:
        raise ValueError(f"timeout is in seconds, more than 0, not {timeout!r}")
    app = App().replace(timeout=timeout)
    return connect_with(app, profile, user, password, durable, save=save)


def publish_many(
    client: Client, room: str, messages: Iterable[str | bytes], *, rate: float | None = None
) -> int:
    """Publish messages in order, without waiting for each acknowledgement. Returns their number.

    It returns when the broker has acknowledged all of them. `rate` is in messages a second; the default is
    what AWS IoT Core allows, and 0 is no limit. If a message is rejected, it stops and raises that error
    when those before it have been acknowledged. Raises what `Client.publish` raises.

    There is no timeout: while the connection is lost, it waits until the connection is restored or ends for good.
    What arrives in the meantime, including `Lost` and `Restored`, is kept for `Client.events`.
    """
    from aws_iot.errors import ServiceRefused
    from aws_iot.publishing.pacing import PUBLISHES_PER_SECOND
    from aws_iot.publishing.publisher import Callbacks, Publisher

    if isinstance(messages, str | bytes):
        raise TypeError(f"messages is a list or another iterable of messages, not {type(messages).__name__}")
    rejected: list[AwsIotError] = []

    def reject(_number: int, _message: Outgoing | None, error: AwsIotError) -> None:
        rejected.append(error)

    limit = PUBLISHES_PER_SECOND if rate is None else rate
    publisher = Publisher([client], Callbacks(reject, client.keep_for_events), rate=limit)
    number = 0
    for number, message in enumerate(messages, 1):
        try:
            outgoing = client.outgoing(room, message)
        except ServiceRefused as error:
            rejected.append(error)
        else:
            publisher.publish(number, outgoing)
        if rejected:
            break
    publisher.finish()
    if rejected:
        raise rejected[0]
    return number


def connect_with(
    app: App,
    profile: str | Profile,
    user: str | None,
    password: str | None,
    durable: str | None,
    *,
    save: bool = False,
) -> Client:
    """As `connect`, with the parts of `app`."""
    from functools import partial

    from aws_iot.auth.login import SignInRequest
    from aws_iot.auth.prompter import NoPrompter
    from aws_iot.messaging.connect import of_user, open_connection
    from aws_iot.messaging.durable import check_session_name

    if durable is not None:
        check_session_name(durable)
    if isinstance(profile, str):
        profile = app.config.profiles.load(profile)
    request = SignInRequest(user, password, is_explicit=bool(password))
    signed_in = app.auth.login(profile).sign_in(request, NoPrompter(profile.key))
    connect = partial(app.messaging.connect, of_user(profile, signed_in))
    connection = open_connection(signed_in, connect, durable=durable)
    identity, username = signed_in.identity, signed_in.username
    settings = app.messaging.client_settings(profile, identity, username, durable)
    saver = None
    if save and profile.history:
        saver = app.history.recorder(profile, identity, username, _warn, is_safe=bool(durable))
    return Client(app, profile, connection, saver, **settings)


def _warn(problem: LocalError) -> None:
    import warnings

    warnings.warn(str(problem), RuntimeWarning, stacklevel=2)
