"""The public Python API: connect with a profile, and publish many messages. Import it from `aws_iot`."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.app import TIMEOUT_SECONDS, App

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_iot.config.profile import Profile
    from aws_iot.errors import AwsIotError
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.message import Outgoing


def connect(
    profile: str | Profile = "default",
    *,
    user: str | None = None,
    password: str | None = None,
    durable: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> Client:
    """Sign in with a profile, and connect to its broker. It never prompts or prints.

    `user` is by default the signed-in user, or else the profile's.

    Without `password`, it uses the saved session of `aws-iot login`, refreshed as needed. If there is none, it
    uses the password that is preset in the profile. With `password`, the new session is not saved.

    With `durable`, the broker keeps messages while you are offline, in a session of this name: up to 32 ASCII
    letters, digits, `-` and `_`.

    `timeout` limits each step, such as a request or an acknowledgement, in seconds.

    Raises `LocalError`, `SignInRefused`, `NotAuthorized`, `Unreachable` or `ServiceRefused`.
    """
    if timeout <= 0:
        raise ValueError(f"timeout is in seconds, more than 0, not {timeout!r}")
    app = App().replace(timeout=timeout)
    return connect_with(app, profile, user, password, durable)


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
    app: App, profile: str | Profile, user: str | None, password: str | None, durable: str | None
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
    return app.messaging.client(profile, connection, signed_in.identity, signed_in.username, durable)
