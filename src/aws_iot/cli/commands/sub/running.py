"""What `aws-iot sub` does: it connects, subscribes, and passes on what arrives."""

import time
from collections.abc import Sequence
from datetime import datetime

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.sub.options import SubOptions
from aws_iot.cli.commands.sub.sinks import Sinks, check_output, open_sinks
from aws_iot.cli.connect import acceptance_wait, connected
from aws_iot.cli.rooms import check_patterns, quoted_options, typed_options
from aws_iot.cli.saving import remember_rooms
from aws_iot.cli.sign_in import suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.cli.ui.connection_reporter import ConnectionReporter
from aws_iot.messaging.client import Client
from aws_iot.messaging.receiving import Limits, SenderFilter, receive


def receive_messages(
    app: App, key: str, user: str | None, password: str | None, from_stdin: bool, chosen: SubOptions
) -> None:
    """Receive as the options say, until they or Ctrl-C stop it."""
    profile = app.config.profiles.load(key)
    typed_key = key if options.is_typed("key") else None
    others = typed_options(
        "since", "pattern", "count", "seconds", "as_json", "raw", "not_from_me", "durable", "wait"
    )
    check_patterns(
        profile.identity_pool_id,
        chosen.rooms,
        lambda rooms: f"aws-iot sub {quoted_options(rooms, typed_key)}{others}",
    )
    since = _since(app, chosen)
    check_output(chosen)
    wait = acceptance_wait(app, chosen.seconds) if chosen.wait else None
    connection = connected(
        app,
        profile,
        user,
        password,
        from_stdin,
        show_identity=True,
        durable=chosen.durable,
        wait=wait,
    )
    with connection as client:
        with suggest_doctor(key, _room_to_test(chosen.rooms)):
            _subscribe(client, chosen)
        remember_rooms(app, profile, chosen.rooms, no_history=chosen.no_history)
        senders = SenderFilter({*chosen.senders}, {client.identity} if chosen.not_from_me else set())
        limits = Limits(chosen.count, wait.left if wait else chosen.seconds)
        with open_sinks(app, profile, client, chosen, since) as sinks:
            arrived = _pass_on(client, sinks, senders, limits)
    Limits(chosen.count, chosen.seconds).check(arrived)
    sinks.live.check()


def _since(app: App, chosen: SubOptions) -> datetime | None:
    """Raises `LocalError` if it is no time, and `UsageError` if it has not come yet."""
    if chosen.since is None:
        return None
    from aws_iot.history.times import parse  # here, as below: few runs need it

    now = app.settings.now()
    since = parse(chosen.since, now).start
    if since > now:
        raise click.UsageError(f"--since {chosen.since} has not come yet.")
    return since


def _pass_on(client: Client, sinks: Sinks, senders: SenderFilter, limits: Limits) -> int:
    """Handle the history, if it is wanted, and then what arrives; returns the number of messages that count."""
    began = time.monotonic()
    arrived, report = 0, ConnectionReporter()
    if sinks.replay:
        arrived = receive(sinks.replay.deliveries(), sinks.past, senders, limits, report)
        if not arrived:
            output.info("The history has no matching message since then.")
        limits = limits.left(arrived, time.monotonic() - began)
        if limits.count == 0:
            return arrived
    return arrived + receive(client.events(limits.seconds), sinks.live, senders, limits, report)


def _room_to_test(rooms: Sequence[str]) -> str:
    if len(rooms) == 1 and not set(rooms[0]) & set("+#"):
        return rooms[0]
    return "ROOM"  # for `doctor`, one of them has to be chosen


def _subscribe(client: Client, chosen: SubOptions) -> None:
    session = client.subscribe(*chosen.rooms)
    if session.is_discarded:
        output.info(f"The broker has discarded the session '{chosen.durable}': messages may be missing.")
    elif session.left:
        output.info(
            f"The session '{chosen.durable}' leaves {', '.join(session.left)}. Messages that wait there arrive"
            " now, but no later ones."
        )
    output.info(f"Receiving from {', '.join(chosen.rooms) or 'all rooms'}; Ctrl-C stops.", Role.GOOD)
