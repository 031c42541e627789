"""`aws-iot history export` and `import`: the history in other forms, and back."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.history.filters import to_filter, which_messages
from aws_iot.cli.commands.history.opening import naming_repair, opened, owner_of, typed_owner
from aws_iot.cli.commands.history.unknown_rooms import explain_unknown
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import counted
from aws_iot.cli.ui.pager import print_lines
from aws_iot.cli.ui.progress import ProgressLine
from aws_iot.cli.ui.terminal import is_confirmed, standard_input
from aws_iot.errors import LocalError
from aws_iot.streams import read_some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_iot.history.upkeep.transfer import Imported
    from aws_iot.streams import Readable

_FORMATS = ("jsonl", "markdown", "csv")
_BY_ENDING = {".md": "markdown", ".markdown": "markdown", ".csv": "csv"}

CHUNK_BYTES = 1024 * 1024
"""How many bytes are read at once."""

LONGEST_LINE = 4 * 1024 * 1024
"""How many bytes a line may have. A message of 128 KB has less than a million as JSON."""


@click.command(cls=Command)
@which_messages
@options.option(
    "--format",
    "form",
    env="HISTORY_EXPORT_FORMAT",
    type=click.Choice(_FORMATS),
    help="JSON Lines, Markdown or CSV.  [default: by the ending of FILE, or else jsonl]",
)
@options.option(
    "-o",
    "--output",
    "target",
    env="HISTORY_EXPORT_OUTPUT",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file, which only you can read, and not to standard output.",
)
@options.option(
    "--replace", env="HISTORY_EXPORT_REPLACE", is_flag=True, help="Do not ask before replacing FILE."
)
@options.user
@options.profile
@options.quiet
@click.pass_obj
def export(
    app: App,
    key: str,
    user: str | None,
    rooms: tuple[str, ...],
    since: str | None,
    until: str | None,
    senders: tuple[str, ...],
    form: str | None,
    target: Path | None,
    replace: bool,
) -> None:
    """Export messages as JSON Lines, Markdown or CSV.

    JSON Lines are those of `sub --json`, with edits, deletions and reactions as messages of their own. `history import`
    reads them. Markdown and CSV show messages as they stand.

    In CSV, an apostrophe precedes what a spreadsheet would run as a formula.

    \b
    Examples:
      aws-iot history export -o history.jsonl
      aws-iot history export lobby --since yesterday -o lobby.md
      aws-iot history export 'ops/#' --format csv > ops.csv
    """
    from aws_iot.history.upkeep import transfer

    wanted = to_filter(app.settings.now(), rooms, since, until, senders)
    chosen = form or _BY_ENDING.get(target.suffix.lower() if target else "", "jsonl")
    write = {"jsonl": transfer.to_json_lines, "markdown": transfer.to_markdown, "csv": transfer.to_csv}
    with opened(app, key, user) as history:
        if target is None:
            shown = write[chosen](history, wanted)
            print_lines(map(_harmless, shown) if sys.stdout.isatty() else shown, may_page=False)
        elif replace or _is_replaceable(app, target):
            lines = _write(write[chosen](history, wanted), target)
            messages = lines if chosen == "jsonl" else history.count(wanted)
            output.info(f"Exported {counted(messages)} to {target}.")
        else:
            output.info("Nothing was exported.")
            click.get_current_context().exit(1)  # so that a script stops here
        if explain_unknown(history, rooms, typed_owner(), since=since) and _is_file_name(rooms[-1]):
            output.info(f"To write to a file: -o {shlex.quote(rooms[-1])}")


def _is_file_name(word: str) -> bool:
    return Path(word).suffix.lower() in (".jsonl", ".json", ".txt", *_BY_ENDING)


def _harmless(line: str) -> str:
    """What may be shown on a terminal, in as many lines."""
    return "\n".join(map(output.visible, line.split("\n")))


def _is_replaceable(app: App, target: Path) -> bool:
    if not target.exists():
        return True
    if not app.settings.has_terminal():
        raise click.UsageError(f"{target} exists already. To replace it, use --replace.")
    return is_confirmed(f"Replace {target}?")


def _write(lines: Iterator[str], target: Path) -> int:
    """Write the file; returns the number of lines."""
    from aws_iot.files import writing_private

    number = 0
    with writing_private(target) as file:
        for line in lines:
            file.write(f"{line}\n".encode(errors="backslashreplace"))
            number += 1
    return number


@click.command("import", cls=Command)
@options.argument("file", type=click.Path(path_type=Path), default=Path("-"), metavar="[FILE]")
@options.user
@options.profile
@options.quiet
@click.pass_obj
def import_(app: App, key: str, user: str | None, file: Path) -> None:
    """Import messages from JSON Lines.

    It reads FILE or standard input, in the form of `history export` or `sub --json`. Messages that the history has
    already are skipped, so importing a file twice changes nothing.

    FILE can also be a damaged history that was set aside.

    \b
    Examples:
      aws-iot history import history.jsonl
      ssh server aws-iot history export | aws-iot history import
    """
    from aws_iot.history.file.schema import is_history
    from aws_iot.history.saving.owners import note_owner
    from aws_iot.history.upkeep.repair import recover
    from aws_iot.history.upkeep.transfer import import_lines

    profile = app.config.profiles.load(key)
    username, identity, path = owner_of(app, profile, user)
    if not (username and identity and path):
        whose = f" of {username}" if username else ""
        named = f" -u {shlex.quote(username)}" if username else ""
        raise LocalError(
            f"the identity{whose} is not known on this machine yet",
            hint=f"Sign in first: aws-iot login -k {key}{named}",
        )
    progress = ProgressLine()

    def report(imported: Imported) -> None:
        progress.show(f"{counted(imported.read)} …")

    try:
        with naming_repair(), _lines(file) as lines:
            imported = (
                recover(file, path, identity)
                if is_history(file)
                else import_lines(path, identity, lines, report)
            )
    finally:
        progress.clear()
    note_owner(path.parent, username, identity)
    known = imported.read - imported.new
    output.info(
        f"Imported {counted(imported.new, 'new message')}"
        + (f"; {known:,} {'was' if known == 1 else 'were'} in the history already." if known else ".")
    )


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a file, or of standard input. Raises `LocalError`, which names the file."""
    if file == Path("-"):
        if sys.stdin is not None and sys.stdin.isatty():
            raise click.UsageError("Which file? Give its name, or send JSON Lines to standard input.")
        yield _read(standard_input("Name the file: aws-iot history import FILE"))
        return
    from aws_iot.files import opened as opened_file

    try:
        with opened_file(file, pipe_seconds=5) as stream:
            yield _read(stream)
    except OSError as error:
        raise LocalError(f"{file}: cannot be read: {error.strerror}") from error


def _read(stream: Readable) -> Iterator[bytes]:
    rest = b""
    while data := read_some(stream, CHUNK_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        yield from lines
        if len(rest) > LONGEST_LINE:
            raise LocalError("this cannot be imported: it is no JSON Lines, or a line is too long")
    yield rest
