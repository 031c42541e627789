"""`aws-iot sub`: hear."""

import math
import re
import shlex
import shutil
import sys
import time
from collections.abc import Collection, Sequence

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.sub.handler import Handler, shell_syntax
from aws_iot.cli.commands.sub.sinks import Printer, Sink
from aws_iot.cli.connect import entered
from aws_iot.cli.sign_in import suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import message_line, raw_line, tell_link
from aws_iot.cli.ui.template import InvalidTemplate, Template
from aws_iot.errors import NothingCame
from aws_iot.messaging.client import Client
from aws_iot.messaging.deliveries import Delivery, Flush
from aws_iot.messaging.json_lines import to_line
from aws_iot.messaging.message import short
from aws_iot.messaging.topics import check_pattern


def _identities(_ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for identity in given:
        if not short(identity) and not re.fullmatch("[0-9a-f]{8}", identity):
            raise click.BadParameter(
                f"'{identity}' is no identity: give it whole, or the 8 characters that are shown behind ~."
            )
    return given


def _command(_ctx: click.Context, _: click.Parameter, given: str | None) -> list[str]:
    try:
        command = shlex.split(given or "")
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
    if given is not None and not (command and shutil.which(command[0])):
        raise click.BadParameter(f"there is no command '{command[0] if command else ''}'.")
    return command


def _template(_ctx: click.Context, _: click.Parameter, given: str | None) -> Template | None:
    try:
        return None if given is None else Template(given)
    except InvalidTemplate as error:
        raise click.BadParameter(f"{error}.") from error


def _session_name(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is not None and not re.fullmatch("[A-Za-z0-9_-]{1,32}", given):
        raise click.BadParameter("use 1 to 32 letters, digits, '-' and '_'.")
    return given


@click.command()
@options.signing_in
@options.verbose
@options.option(
    "-r",
    "--room",
    "rooms",
    env="ROOM",
    multiple=True,
    metavar="ROOM",
    help="A room to hear, or a pattern: ops/+ is every room in ops, ops/# also ops itself and all rooms"
    " deeper within; can be repeated.  [default: all]",
)
@options.option(
    "--from",
    "senders",
    env="FROM",
    multiple=True,
    metavar="IDENTITY",
    callback=_identities,
    help="Hear only this identity, given whole or as the 8 characters behind ~; can be repeated.",
)
@options.option("--not-from-me", env="NOT_FROM_ME", is_flag=True, help="Do not hear what you say yourself.")
@options.option(
    "-C", "--count", env="COUNT", type=click.IntRange(1), metavar="N", help="End after N messages."
)
@options.option(
    "-W",
    "--within",
    "seconds",
    env="WITHIN",
    type=options.Number(0, min_open=True),
    metavar="SECONDS",
    help="End so many seconds after it began to listen, also while a command of --exec runs; with exit code"
    " 8 if less came than -C asks for, or, without -C, nothing.",
)
@options.json_output
@options.option(
    "--format",
    "template",
    env="SUB_FORMAT",
    metavar="TEMPLATE",
    callback=_template,
    help="Print each message so, with the fields above.",
)
@options.option(
    "--raw",
    env="SUB_RAW",
    is_flag=True,
    help="Print the payload of each message as it is, and a line break.",
)
@options.option(
    "--exec",
    "command",
    cls=options.Once,
    env="EXEC",
    metavar="COMMAND",
    callback=_command,
    help="Run a command for each message instead of printing it: see above.",
)
@options.option(
    "--exec-jobs",
    "jobs",
    env="EXEC_JOBS",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Run so many at once; with more than 1 they end in any order.",
)
@options.option(
    "--durable",
    env="DURABLE",
    metavar="NAME",
    callback=_session_name,
    help="Have the broker keep, under this name, what is said while you are away.",
)
@options.option(
    "--wait", env="WAIT", is_flag=True, help="Where no admin has accepted you yet, keep trying until one has."
)
@click.pass_obj
def sub(
    app: App,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    rooms: tuple[str, ...],
    senders: tuple[str, ...],
    not_from_me: bool,
    count: int | None,
    seconds: float | None,
    as_json: bool,
    template: Template | None,
    raw: bool,
    command: list[str],
    jobs: int,
    durable: str | None,
    wait: bool,
) -> None:
    """Hear what is said: each message as it comes, until Ctrl-C.

    A line shows when it came, the room, and who said it: a name, which is what the sender claims to
    be called, and behind ~ the beginning of the sender's identity, which is proven.

    The first time, nobody has accepted you: an admin needs the identity that is shown.

    \b
    Fields of --format, each as {field} or {field:WIDTH}, such as {name:>12} or {text:.80}:
      time             when it came, local time; {time:%H:%M} as strftime has it
      received, sent   when it came and when it was said, UTC; strftime as above
      room             where
      sender, short    who, proven: the identity, and its beginning
      name             what the sender claims to be called
      text, raw        what was said, and the whole payload
      id               unique, where the sender's program gives one
      qos, retained    how it was delivered: 0 or 1, true or false
    \\n, \\t and \\\\ stand for a line break, a tab and a backslash, {{ and }} for braces.

    Whatever is printed for people, control characters in messages are shown as escapes, into pipes as
    well. --json holds them all, escaped; --raw passes them on except to a terminal.

    A command of --exec is no shell's: it is split into words once, and a message cannot change it. The
    text is its standard input; AWS_IOT_MESSAGE_ROOM, _SENDER, _SHORT, _NAME, _TEXT, _ID, _RECEIVED,
    _SENT, _QOS and _RETAINED are in its environment, up to 32,000 bytes each. That one fails is told
    on stderr, and listening goes on; when it ends by itself, the exit code is then 9. Commands that
    still run when it ends, as by Ctrl-C or after -W, are told to, with all that they have started, and
    ended a second later; by -W that is a failure, too.

    With --durable a message counts as heard once its line is written or its command has ended, and what
    is not heard comes again: none is missing after a crash or a signal. Some lines may then be there
    twice; of the commands, only those that ran are run again. What a broker delivers twice is heard
    once, by the id of a message; those of the npm tool have none, and may come twice. How long a broker
    keeps it is up to the account: an hour on AWS, unless it was raised; that it has forgotten is told.
    Rooms that are not named any more are left: what waits from there is heard once more. One program at a
    time can listen under a name: another one takes over, and ends the first.

    \b
    Examples:
      aws-iot sub
      aws-iot sub -r lobby -r 'ops/#' -u alice -k team
      aws-iot sub -r lobby --json | jq .text
      aws-iot sub -r lobby -C 1 -W 30 --raw
      aws-iot sub --format '{time:%H:%M} {short} {text}'
      aws-iot sub -r jobs --durable worker --exec ./work.sh
    """
    profile = app.profiles.load(key)
    for room in rooms:
        check_pattern(profile.identity_pool_id, room)
    sink = _sink(as_json, template, raw, command, jobs)
    if word := shell_syntax(command):
        output.info(
            f"--exec is no shell's: '{word}' is a word like any other. A shell is run so: --exec 'sh -c \"…\"'"
        )
    with (
        entered(
            app, profile, user, password, password_stdin, tell=True, durable=durable, wait=wait
        ) as client,
        sink,
    ):
        with suggest_doctor(key):
            _subscribe(client, rooms, durable)
        output.info(f"Listening in {', '.join(rooms) or 'all rooms'}; Ctrl-C ends it.")
        muted = {client.identity} if not_from_me else set()
        ends = math.inf if seconds is None else time.monotonic() + seconds
        came = _listen(client, sink, ends, count, senders, muted)
        sink.finish(ends)
    if seconds is not None and came < (count or 1):
        missed = f"{came or 'none'} of {count} messages" if count else "no message"
        raise NothingCame(f"{missed} came within {seconds:g} seconds")
    sink.check()


def _subscribe(client: Client, rooms: Sequence[str], name: str | None) -> None:
    session = client.subscribe(rooms)
    if session.is_discarded:
        output.info(f"The broker has forgotten the session '{name}': what was said meanwhile is missing.")
    elif session.left:
        output.info(
            f"The session '{name}' leaves {', '.join(session.left)}: what waits from there is heard now, and"
            " nothing later."
        )


def _sink(as_json: bool, template: Template | None, raw: bool, command: list[str], jobs: int) -> Sink:
    if as_json + raw + (template is not None) + bool(command) > 1:
        raise click.UsageError("--json, --format, --raw and --exec exclude each other.")
    if command:
        return Handler(command, jobs)
    if template:
        return Printer(template.filled)
    if as_json:
        return Printer(to_line)
    if raw:
        return Printer(raw_line if sys.stdout.isatty() else lambda message: message.payload)
    return Printer(message_line)


def _listen(
    client: Client,
    sink: Sink,
    ends: float,
    count: int | None,
    senders: Collection[str],
    muted: Collection[str],
) -> int:
    """How many messages came, until one of the limits is reached."""
    came = 0
    is_choosy = bool(senders or muted)
    seconds = None if ends == math.inf else ends - time.monotonic()
    for event in client.events(seconds):
        if isinstance(event, Delivery):
            if is_choosy and not _is_wanted(event.message.sender, senders, muted):
                event.ack()
                continue
            sink.take(event, ends)
            came += 1
            if came == count:
                break
        elif isinstance(event, Flush):
            sink.flush()
        else:
            tell_link(event)
    return came


def _is_wanted(sender: str, senders: Collection[str], muted: Collection[str]) -> bool:
    return sender not in muted and (not senders or sender in senders or short(sender) in senders)
