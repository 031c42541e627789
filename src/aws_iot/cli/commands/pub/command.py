"""`aws-iot pub`: say."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aws_iot.auth.token_refresher import ActiveSession

from aws_iot.app import App
from aws_iot.auth.login import SignInRequest
from aws_iot.cli import options
from aws_iot.cli.commands.pub.input import Given, whole
from aws_iot.cli.connect import connected_several
from aws_iot.cli.sign_in import login_of, sign_in, suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.errors import SignInRefused
from aws_iot.messaging.client import Client
from aws_iot.messaging.topics import check_room
from aws_iot.publishing.publisher import PUBLISHES_PER_SECOND


@click.command()
@options.signing_in
@options.verbose
@options.option("-r", "--room", cls=options.Once, env="ROOM", metavar="ROOM", help="The room to say it in.")
@options.option(
    "-m",
    "--message",
    "--msg",
    "message",
    cls=options.Once,
    env="MESSAGE",
    metavar="TEXT",
    help="What to say; - reads standard input.",
)
@options.option(
    "--lines",
    env="PUB_LINES",
    is_flag=True,
    help="Say each line of standard input, as it comes; blank ones are left out, but with --raw.",
)
@options.option(
    "--json-lines", env="PUB_JSON_LINES", is_flag=True, help="The same for lines as `sub --json` prints them."
)
@options.option(
    "--file",
    cls=options.Once,
    env="PUB_FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Say what is in this file, - is standard input; with --lines or --json-lines, say its lines.",
)
@options.option("--raw", env="PUB_RAW", is_flag=True, help='Send the bytes as they are, not as {"msg": …}.')
@options.option(
    "--qos",
    env="QOS",
    type=click.Choice(["0", "1"]),
    default="1",
    show_default=True,
    help="0: do not wait for the broker to acknowledge.",
)
@options.option(
    "--retain",
    env="RETAIN",
    is_flag=True,
    help="Have the broker keep it for those who come later; that takes iot:RetainPublish.",
)
@options.option("--repeat", env="REPEAT", type=click.IntRange(1), metavar="N", help="Say it N times.")
@options.option(
    "--interval",
    env="INTERVAL",
    type=options.Number(0, 86400),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long between two times of --repeat.",
)
@options.option(
    "--rate",
    env="RATE",
    type=options.Number(0, 1_000_000),
    default=PUBLISHES_PER_SECOND,
    show_default=True,
    metavar="N",
    help="So many messages a second and connection; AWS drops what exceeds 100 in any second. 0: as fast as can be.",
)
@options.option(
    "--connections",
    env="CONNECTIONS",
    type=click.IntRange(1, 50),
    default=1,
    show_default=True,
    metavar="N",
    help="Spread many messages over so many connections; the order is lost.",
)
@options.option(
    "--resume",
    env="RESUME",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Note here how far it came, and go on from there the next time.",
)
@options.option(
    "--spool",
    env="SPOOL",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep here what is not acknowledged yet; the next run with it sends that first. Without a connection all"
    " is read and kept. Several programs may keep theirs here; one of them sends all.",
)
@click.pass_obj
def pub(
    app: App,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    room: str | None,
    message: str | None,
    lines: bool,
    json_lines: bool,
    file: Path | None,
    raw: bool,
    qos: str,
    retain: bool,
    repeat: int | None,
    interval: float,
    rate: float,
    connections: int,
    resume: Path | None,
    spool: Path | None,
) -> None:
    """Say something in a room, or many things.

    Success means that the broker has acknowledged it, but with --qos 0. A line that cannot be sent is named with its
    number, the others are sent all the same, and the exit code is 7.

    \b
    Examples:
      aws-iot pub -r lobby -m hello
      date | aws-iot pub -r lobby -m - -k team
      tail -f app.log | aws-iot pub -r logs --lines
      aws-iot sub -r lobby --json | grep urgent | aws-iot pub -r ops --json-lines
      aws-iot pub -r sensor --raw --file reading.bin
      aws-iot pub -r bulk --lines --file big.txt --connections 4 --resume big.progress
    """
    if interval and not repeat:
        raise click.UsageError("--interval goes with --repeat.")
    given = Given(room, message, lines, json_lines, file, raw, repeat or 1, interval)
    _check(given, int(qos), spool, resume, password_stdin)
    profile = app.profiles.load(key)
    if room is not None and given.says_something:
        check_room(profile.identity_pool_id, room)  # what can be refused is refused before anything is sent
    one = whole(given) if given.says_something and not given.is_stream else None

    signed_in: list[ActiveSession] = []

    def enter(connections: int, stack: ExitStack, ask: bool = True) -> list[Client]:
        if password_stdin and not (ask or signed_in):
            raise SignInRefused("the password on standard input was read before, and is not kept")
        with suggest_doctor(key):
            if not signed_in:
                signed_in.append(sign_in(app, profile, user, password, password_stdin, ask=ask))
            return stack.enter_context(connected_several(signed_in[0], app, profile, connections))

    if one is not None and given.repeat == 1 and not spool and room is not None:
        with ExitStack() as stack:
            [place] = enter(1, stack)
            with suggest_doctor(key):
                place.publish(room, one, qos=int(qos), retain=retain)
        output.info(
            f"Said in {room}." if int(qos) else f"Sent to {room}; nobody says whether it came (--qos 0)."
        )
        return
    from aws_iot.cli.commands.pub.job import Job, Wanted  # here, since most have one thing to say

    wanted = Wanted(given, one, profile.identity_pool_id, int(qos), retain, rate)
    if spool:
        from aws_iot.cli.commands.pub.spooled import SpooledJob

        by_password = bool(password) or password_stdin
        who = login_of(app, profile).expected_username(SignInRequest(user), by_password=by_password)
        SpooledJob(app, wanted, spool, key, who, user).run(lambda stack, ask: enter(connections, stack, ask))
    else:
        Job(wanted, resume).run(lambda stack, ask: enter(connections, stack, ask))


def _check(given: Given, qos: int, spool: Path | None, resume: Path | None, password_stdin: bool) -> None:
    """Raises `UsageError` for options that do not go together."""
    if given.message is not None and (given.is_stream or given.file):
        raise click.UsageError("-m goes without --lines, --json-lines and --file.")
    if given.lines and given.json_lines:
        raise click.UsageError("--lines and --json-lines exclude each other.")
    if given.json_lines and given.raw:
        raise click.UsageError("--raw says what a line is, and so does --json-lines: give one of them.")
    if not given.says_something and (not spool or options.is_typed("room")):
        raise click.UsageError("Say what? Give -m TEXT, --lines, --json-lines or --file FILE.")
    if given.says_something and given.room is None and not given.json_lines:
        raise click.UsageError("Where? Give -r ROOM.")
    if given.repeat > 1 and given.is_stream:
        raise click.UsageError("--repeat goes with -m and --file, without --lines and --json-lines.")
    if spool and qos == 0:
        raise click.UsageError(
            "--spool keeps what is not acknowledged, and --qos 0 asks for no acknowledgement."
        )
    if resume and not given.is_stream and given.repeat == 1:
        raise click.UsageError("--resume goes with --lines, --json-lines and --repeat.")
    if spool and resume:
        raise click.UsageError("--spool and --resume exclude each other.")
    if given.reads_stdin and password_stdin:
        raise click.UsageError(
            "Standard input cannot hold both the messages and the password (--password-stdin)."
        )
