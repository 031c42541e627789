"""`aws-iot sub`: print messages, or run a command for each."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.sub.handler import Handler, shell_syntax
from aws_iot.cli.commands.sub.options import SubOptions, sub_options
from aws_iot.cli.commands.sub.printer import Printer, TerminalPrinter
from aws_iot.cli.connect import acceptance_wait, connected
from aws_iot.cli.groups import Command
from aws_iot.cli.rooms import check_patterns, quoted_options, typed_options
from aws_iot.cli.sign_in import suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role, is_on
from aws_iot.cli.ui.connection_reporter import ConnectionReporter
from aws_iot.cli.ui.formatting import colored_message_line, message_line, raw_line
from aws_iot.cli.ui.tables import terminal_width
from aws_iot.messaging.client import Client
from aws_iot.messaging.json_lines import to_line
from aws_iot.messaging.message import Message
from aws_iot.messaging.receiving import Limits, SenderFilter, Sink, receive


@click.command(cls=Command)
@options.signing_in
@options.verbose
@sub_options
@click.pass_obj
def sub(
    app: App, /, key: str, user: str | None, password: str | None, password_stdin: bool, **given: Any
) -> None:
    """Print messages as they arrive. Ctrl-C stops.

    A line shows when the message arrived, its room, and its sender: the name that the sender chose, then ~ and the
    start of the sender's identity, which the IoT policy enforces.

    The first time, an admin has to accept you. `sub` prints the identity that the admin needs.

    More: `aws-iot help` has the topics rooms, format, exec and durable.

    \b
    Examples:
      aws-iot sub -r lobby -r 'ops/#' -u alice -k team
      aws-iot sub -r lobby --json | jq .text
      aws-iot sub -r lobby -C 1 -W 30 --raw
      aws-iot sub --format '{time:%H:%M} {short} {text}'
      aws-iot sub -r jobs --durable worker --exec ./work.sh
    """
    chosen = SubOptions(**given)
    profile = app.config.profiles.load(key)
    typed_key = key if options.is_typed("key") else None
    others = typed_options("count", "seconds", "as_json", "raw", "not_from_me", "durable", "wait")
    check_patterns(
        profile.identity_pool_id,
        chosen.rooms,
        lambda rooms: f"aws-iot sub {quoted_options(rooms, typed_key)}{others}",
    )
    sink = _sink(chosen)
    wait = acceptance_wait(app, chosen.seconds) if chosen.wait else None
    connection = connected(
        app,
        profile,
        user,
        password,
        password_stdin,
        show_identity=True,
        durable=chosen.durable,
        wait=wait,
    )
    with connection as client, sink:
        with suggest_doctor(key, _room_to_test(chosen.rooms)):
            _subscribe(client, chosen)
        app.config.known_names(key).add_rooms(chosen.rooms)
        senders = SenderFilter({*chosen.senders}, {client.identity} if chosen.not_from_me else set())
        limits = Limits(chosen.count, wait.left if wait else chosen.seconds)
        arrived = receive(client, sink, senders, limits, ConnectionReporter())
    Limits(chosen.count, chosen.seconds).check(arrived)
    sink.check()


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


def _sink(chosen: SubOptions) -> Sink:
    if chosen.command:
        if word := shell_syntax(chosen.command):
            output.info(
                f"--exec does not run a shell, so '{word}' is passed as an argument."
                " To use one: --exec 'sh -c \"…\"'"
            )
        return Handler(chosen.command, chosen.jobs)
    if chosen.as_json:
        return Printer(to_line)
    is_terminal = sys.stdout.isatty()
    if chosen.template:
        return _terminal_printer(chosen.template.filled) if is_terminal else Printer(chosen.template.filled)
    if chosen.raw:
        return _terminal_printer(raw_line) if is_terminal else Printer(lambda message: message.payload)
    form = colored_message_line if is_on() else message_line
    return TerminalPrinter(form, _columns) if is_terminal else Printer(form)


def _terminal_printer(form: Callable[[Message], str]) -> Sink:
    return TerminalPrinter(lambda message, _: form(message), _columns)


def _columns() -> int:
    return terminal_width() or sys.maxsize
