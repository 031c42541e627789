"""The options of `pub`: which messages to send, how to deliver them, and which options exclude each other."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from aws_iot.cli import options
from aws_iot.errors import InvalidMessage
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT, EDIT, REACT, check_reaction
from aws_iot.publishing.pacing import PUBLISHES_PER_SECOND
from aws_iot.publishing.request import InputOptions

Command = Callable[..., Any]

Conflicts = tuple[tuple[object, str], ...]
"""Whether each of them applies, and the error then."""

SOURCES = "-m TEXT, --lines, --json-lines or --file FILE"


class DeliveryOptions(NamedTuple):
    """How to send the messages. `rate` is in messages a second for each connection."""

    qos: int
    retain: bool
    rate: float
    connections: int
    resume: Path | None
    spool: Path | None
    as_json: bool = False
    no_history: bool = False


class ConversationOptions(NamedTuple):
    """The message that is answered or changed, as the person names it; at most one of these."""

    reply_to: str | None = None
    react: tuple[str, str] | None = None
    """The reaction, and the message."""
    edit: str | None = None
    delete: str | None = None

    @property
    def named(self) -> str:
        """What names the message; empty if there is none."""
        return self.reply_to or (self.react or ("", ""))[1] or self.edit or self.delete or ""

    @property
    def kind(self) -> str | None:
        """The kind of the message to send; None for a reply, and for a message that refers to none."""
        return REACT if self.react else EDIT if self.edit else DELETE if self.delete else None


_INPUT = (
    options.option(
        "-r",
        "--room",
        cls=options.Once,
        env="ROOM",
        metavar="ROOM",
        completes="rooms",
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

_CONVERSATION = (
    options.option(
        "--reply-to",
        cls=options.Once,
        env="PUB_REPLY_TO",
        metavar="ID",
        help="Send it as a reply to this message.",
    ),
    options.option(
        "--react",
        cls=options.Once,
        env="PUB_REACT",
        nargs=2,
        metavar="EMOJI ID",
        help="React to this message, for example with 👍.",
    ),
    options.option(
        "--edit",
        cls=options.Once,
        env="PUB_EDIT",
        metavar="ID",
        help="Replace the text of this message, which is yours.",
    ),
    options.option(
        "--delete",
        cls=options.Once,
        env="PUB_DELETE",
        metavar="ID",
        help="Delete this message, which is yours.",
    ),
)

_DELIVERY = (
    options.option(
        "--qos",
        env="QOS",
        type=click.Choice(["0", "1"]),
        default="1",
        show_default=True,
        help="With 0, nothing is acknowledged.",
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
        help="Messages a second; 0 means no limit.",
    ),
    options.option(
        "--connections",
        env="CONNECTIONS",
        type=options.Whole(1, 50),
        default=1,
        show_default=True,
        metavar="N",
        help="Use N connections, in no order.",
    ),
    options.option(
        "--resume",
        env="RESUME",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Save the progress in FILE, and continue from there.",
    ),
    options.option(
        "--spool",
        env="SPOOL",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Save messages in DIR until they are acknowledged.",
    ),
    options.option(
        "--json",
        "as_json",
        env="PUB_JSON",
        is_flag=True,
        help="Print each sent message, with its ID, as JSON.",
    ),
    options.no_history,
)


def input_options(command: Command) -> Command:
    """Add the options for what to send.

    The command gets them as `messages`, an `InputOptions`, and `conversation`, a `ConversationOptions`. The texts of
    reactions and deletions are messages, too.
    """

    @wraps(command)
    def collect(*args: Any, repeat: int | None, interval: float, **given: Any) -> Any:
        if interval and not repeat:
            raise click.UsageError("--interval needs --repeat.")
        names = ("room", "message", "lines", "json_lines", "file", "raw")
        messages = InputOptions(
            **{name: given.pop(name) for name in names}, repeat=repeat or 1, interval=interval
        )
        conversation = ConversationOptions(**{name: given.pop(name) for name in ConversationOptions._fields})
        check_conversation(messages, conversation)
        if conversation.react:
            messages = messages._replace(message=conversation.react[0])
        elif conversation.delete:
            messages = messages._replace(message=DELETED_TEXT)
        return command(*args, messages=messages, conversation=conversation, **given)

    return _with((*_INPUT, *_CONVERSATION), collect)


def delivery_options(command: Command) -> Command:
    """Add the options for how to send it. The command gets them as `delivery`, a `DeliveryOptions`."""

    @wraps(command)
    def collect(*args: Any, qos: str, **given: Any) -> Any:
        names = ("retain", "rate", "connections", "resume", "spool", "as_json", "no_history")
        delivery = DeliveryOptions(int(qos), **{name: given.pop(name) for name in names})
        return command(*args, delivery=delivery, **given)

    return _with(_DELIVERY, collect)


def _with(decorators: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


def check_conversation(messages: InputOptions, conversation: ConversationOptions) -> None:
    """Raises `UsageError` for options that cannot be combined with those of a conversation."""
    given = [f"--{name.replace('_', '-')}" for name, value in conversation._asdict().items() if value]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} exclude each other.")
    if not given or conversation.reply_to:
        return
    [option] = given
    if messages.is_stream or messages.repeat > 1:
        raise click.UsageError(f"{option} cannot be combined with --lines, --json-lines or --repeat.")
    if not conversation.edit and (messages.has_messages or messages.raw):
        raise click.UsageError(f"{option} cannot be combined with -m, --file or --raw.")
    if conversation.react:
        try:
            check_reaction(conversation.react[0])
        except InvalidMessage as error:
            raise click.UsageError(f"--react EMOJI ID: {error}.") from error


def check_options(
    messages: InputOptions,
    delivery: DeliveryOptions,
    conversation: ConversationOptions,
    *,
    password_stdin: bool,
) -> None:
    """Raises `UsageError` for options that cannot be combined, or that are missing."""
    conflicts = (
        *_conflicts_of_input(messages, delivery, conversation),
        *_conflicts_of_delivery(messages, delivery, conversation),
        (
            conversation.reply_to and messages.json_lines,
            "--reply-to cannot be combined with --json-lines: each line may have another room.",
        ),
        (
            messages.reads_stdin and password_stdin,
            "Standard input cannot provide both the messages and the password (--password-stdin).",
        ),
    )
    for applies, error in conflicts:
        if applies:
            raise click.UsageError(error)


def _conflicts_of_input(
    messages: InputOptions, delivery: DeliveryOptions, conversation: ConversationOptions
) -> Conflicts:
    """Those of the options for what to send."""
    return (
        (
            messages.message is not None and (messages.is_stream or messages.file),
            "-m cannot be combined with --lines, --json-lines or --file.",
        ),
        (messages.lines and messages.json_lines, "--lines cannot be combined with --json-lines."),
        (messages.json_lines and messages.raw, "--raw cannot be combined with --json-lines."),
        (
            not messages.has_messages and (not delivery.spool or options.is_typed("room")),
            f"Nothing to send: give {'the new text with -m TEXT or --file FILE' if conversation.edit else SOURCES}.",
        ),
        (
            messages.has_messages
            and messages.room is None
            and not (messages.json_lines or conversation.named),
            "No room: give -r ROOM.",
        ),
        (
            messages.repeat > 1 and messages.is_stream,
            "--repeat cannot be combined with --lines or --json-lines.",
        ),
    )


def _conflicts_of_delivery(
    messages: InputOptions, delivery: DeliveryOptions, conversation: ConversationOptions
) -> Conflicts:
    """Those of the options for how to send it."""
    return (
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
            delivery.spool and delivery.as_json,
            "--spool cannot be combined with --json: another program may send the messages.",
        ),
        (
            delivery.retain and conversation.kind is not None,
            "--retain cannot be combined with --react, --edit or --delete: it keeps one message of each sender.",
        ),
    )
