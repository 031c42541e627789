"""Running `pub`: connects, and sends a single message or a stream of them."""

from __future__ import annotations  # so that what only types need is not imported

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from aws_iot.cli.commands.pub.connector import Connector, SigningIn
from aws_iot.cli.commands.pub.wording import sent_line
from aws_iot.cli.saving import remember_rooms
from aws_iot.cli.sign_in import suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import standard_input
from aws_iot.errors import LocalError, NotAuthorized
from aws_iot.publishing.input import read_message
from aws_iot.publishing.request import InputOptions, PublishRequest

if TYPE_CHECKING:
    from aws_iot.app import App
    from aws_iot.cli.commands.pub.options import ConversationOptions, DeliveryOptions
    from aws_iot.config.profile import Profile
    from aws_iot.history.references import Reference


def run(
    app: App,
    profile: Profile,
    signing_in: SigningIn,
    messages: InputOptions,
    conversation: ConversationOptions,
    delivery: DeliveryOptions,
) -> None:
    """Send what the options choose, and remember the room. Raises `AwsIotError`."""
    with Connector(app, profile, signing_in, delivery) as connector:
        reference = connector.reference(conversation, messages.room) if conversation.named else None
        request = _request(profile, messages, delivery, conversation.kind, reference)
        if request.is_single and not delivery.spool:
            _send_one(connector, request)
        else:
            _send_many(app, connector, request, delivery, signing_in.user)
    if messages.room:
        remember_rooms(app, profile, [messages.room], no_history=delivery.no_history)


def _request(
    profile: Profile,
    messages: InputOptions,
    delivery: DeliveryOptions,
    kind: str | None,
    reference: Reference | None,
) -> PublishRequest:
    stdin = standard_input("Give the message with -m TEXT or --file FILE.") if messages.reads_stdin else None
    is_interactive = stdin is not None and sys.stdin.isatty()
    payload = None
    if is_interactive and messages.is_stream:
        form = "a JSON object" if messages.json_lines else "a message"
        output.info(f"Type {form} on each line. To finish, press Ctrl-D at the start of a line.")
    if messages.has_messages and not messages.is_stream:
        if is_interactive:
            output.info("Type the message. To send it, press Ctrl-D at the start of a line.")
        payload = read_message(messages, stdin)
    if reference:
        messages = messages._replace(room=reference.room)
    return PublishRequest(
        messages,
        profile.identity_pool_id,
        payload,
        stdin,
        is_interactive,
        delivery.qos,
        delivery.retain,
        delivery.rate,
        kind,
        reference and reference.id,
    )


def _send_one(connector: Connector, request: PublishRequest) -> None:
    room, payload = request.options.room or "", request.payload or b""
    with connector.connect(1) as [client], suggest_doctor(connector.profile.key, room):
        client.publish(
            room, payload, qos=request.qos, retain=request.retain, kind=request.kind, re=request.re
        )
    output.info(sent_line(request))


def _send_many(
    app: App, connector: Connector, request: PublishRequest, delivery: DeliveryOptions, user: str | None
) -> None:
    # Here, because most runs send a single message.
    from aws_iot.cli.commands.pub.reporter import PubReporter
    from aws_iot.publishing.checkpoint import Checkpoint
    from aws_iot.publishing.input_sender import InputSender
    from aws_iot.publishing.spool.registry import SpoolRegistry
    from aws_iot.publishing.spool.sender import SpoolSender
    from aws_iot.publishing.spool.store import Spool

    profile, spool = connector.profile, delivery.spool
    reporter = PubReporter(request, delivery, profile.key, user)
    sender: InputSender | SpoolSender
    if spool:
        with suppress(LocalError):  # only `spool list` needs it
            SpoolRegistry(app.settings.folders.spools).add(spool)
        username = connector.expected_username()
        sender = SpoolSender(
            request,
            lambda: Spool(spool, request.pool, username),
            reporter,
            timeout=app.settings.timeout,
            pause=app.settings.pause,
        )
    else:
        checkpoint = Checkpoint(delivery.resume, reporter.unit) if delivery.resume else None
        sender = InputSender(request, reporter, checkpoint)
    # Only for rejections: `doctor` cannot explain why another program sends nothing from a spool.
    room = "ROOM" if request.options.json_lines else request.options.room
    with reporter.hinting_at_unsent(), suggest_doctor(profile.key, room, (NotAuthorized,)):
        sender.run(lambda may_ask: connector.connect(delivery.connections, may_ask=may_ask))
