"""The options of `pub`: which messages to send, how to deliver them, and which options exclude each other."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from aws_iot.cli import options
from aws_iot.cli.completion import names as completing
from aws_iot.publishing.pacing import PUBLISHES_PER_SECOND
from aws_iot.publishing.request import InputOptions

Command = Callable[..., Any]


class DeliveryOptions(NamedTuple):
    """How to send the messages. `rate` is in messages a second for each connection."""

    qos: int
    retain: bool
    rate: float
    connections: int
    resume: Path | None
    spool: Path | None


_INPUT = (
    options.option(
        "-r",
        "--room",
        cls=options.Once,
        env="ROOM",
        metavar="ROOM",
        shell_complete=completing.rooms,
        help="Room to send to.",
    ),
    options.option(
        "-m",
        "--message",
        "--msg",
        "message",
        cls=options.Once,
        may_be_empty=True,
        env="MESSAGE",
        metavar="TEXT",
        help="Text to send; - reads standard input.",
    ),
    options.option(
        "--lines",
        env="PUB_LINES",
        is_flag=True,
        help="Send each line of standard input as it arrives.",
    ),
    options.option(
        "--json-lines",
        env="PUB_JSON_LINES",
        is_flag=True,
        help="The same for lines in the format of `sub --json`.",
    ),
    options.option(
        "--file",
        cls=options.Once,
        env="PUB_FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Send FILE or, with --lines, each line of it.",
    ),
    options.option(
        "--raw", env="PUB_RAW", is_flag=True, help='Send the bytes without {"msg": …} around them.'
    ),
    options.option(
        "--repeat", env="REPEAT", type=options.Whole(1), metavar="N", help="Send the message N times."
    ),
    options.option(
        "--interval",
        env="INTERVAL",
        type=options.Number(0, 86400),
        default=0.0,
        metavar="SECONDS",
        help="Pause between repetitions.",
    ),
)

_DELIVERY = (
    options.option(
        "--qos",
        env="QOS",
        type=click.Choice(["0", "1"]),
        default="1",
        show_default=True,
        help="With 0, the broker acknowledges no messages.",
    ),
    options.option(
        "--retain",
        env="RETAIN",
        is_flag=True,
        help="Let the broker keep it for future subscribers.",
    ),
    options.option(
        "--rate",
        env="RATE",
        type=options.Number(0, 1_000_000),
        default=PUBLISHES_PER_SECOND,
        show_default=True,
        metavar="N",
        help="Messages a second on each connection; 0 means no limit.",
    ),
    options.option(
        "--connections",
        env="CONNECTIONS",
        type=options.Whole(1, 50),
        default=1,
        show_default=True,
        metavar="N",
        help="Send over N connections at once, in no particular order.",
    ),
    options.option(
        "--resume",
        env="RESUME",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Save the progress in FILE, and continue from there the next time.",
    ),
    options.option(
        "--spool",
        env="SPOOL",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Save messages in DIR until they are acknowledged, even while you are offline.",
    ),
)


def input_options(command: Command) -> Command:
    """Add the options for what to send. The command gets them as `messages`, an `InputOptions`."""

    @wraps(command)
    def collect(*args: Any, repeat: int | None, interval: float, **given: Any) -> Any:
        if interval and not repeat:
            raise click.UsageError("--interval needs --repeat.")
        names = ("room", "message", "lines", "json_lines", "file", "raw")
        messages = InputOptions(
            **{name: given.pop(name) for name in names}, repeat=repeat or 1, interval=interval
        )
        return command(*args, messages=messages, **given)

    return _with(_INPUT, collect)


def delivery_options(command: Command) -> Command:
    """Add the options for how to send it. The command gets them as `delivery`, a `DeliveryOptions`."""

    @wraps(command)
    def collect(*args: Any, qos: str, **given: Any) -> Any:
        names = ("retain", "rate", "connections", "resume", "spool")
        delivery = DeliveryOptions(int(qos), **{name: given.pop(name) for name in names})
        return command(*args, delivery=delivery, **given)

    return _with(_DELIVERY, collect)


def _with(decorators: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def check_options(messages: InputOptions, delivery: DeliveryOptions, *, password_stdin: bool) -> None:
    """Raises `UsageError` for options that cannot be combined, or that are missing."""
    conflicts = (
        (
            messages.message is not None and (messages.is_stream or messages.file),
            "-m cannot be combined with --lines, --json-lines or --file.",
        ),
        (messages.lines and messages.json_lines, "--lines cannot be combined with --json-lines."),
        (messages.json_lines and messages.raw, "--raw cannot be combined with --json-lines."),
        (
            not messages.has_messages and (not delivery.spool or options.is_typed("room")),
            "Nothing to send: give -m TEXT, --lines, --json-lines or --file FILE.",
        ),
        (
            messages.has_messages and messages.room is None and not messages.json_lines,
            "No room: give -r ROOM.",
        ),
        (
            messages.repeat > 1 and messages.is_stream,
            "--repeat cannot be combined with --lines or --json-lines.",
        ),
        (
            delivery.spool and delivery.qos == 0,
            "--spool cannot be combined with --qos 0: it needs acknowledgements.",
        ),
        (
            delivery.resume and not messages.is_stream and messages.repeat == 1,
            "--resume needs --lines, --json-lines or --repeat.",
        ),
        (delivery.spool and delivery.resume, "--spool cannot be combined with --resume."),
        (
            messages.reads_stdin and password_stdin,
            "Standard input cannot provide both the messages and the password (--password-stdin).",
        ),
    )
    for applies, error in conflicts:
        if applies:
            raise click.UsageError(error)
