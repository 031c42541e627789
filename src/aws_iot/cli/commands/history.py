"""`aws-iot history`: the messages that `sub` has saved on this machine."""

from __future__ import annotations  # so that what only types need is not imported

import json
import shlex
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import is_on
from aws_iot.cli.ui.formatting import colored_message_line, entry_marks, highlighted, message_line
from aws_iot.cli.ui.tables import terminal_width
from aws_iot.errors import LocalError
from aws_iot.messaging.json_lines import to_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_iot.config.profile import Profile
    from aws_iot.history.search import Search
    from aws_iot.history.store import Entry, Filter

# The history and its database are imported when the command runs: `--help` would wait for them.


@click.command(cls=Command)
@options.argument("rooms", nargs=-1, metavar="[ROOM]...")
@options.option(
    "-n",
    "--number",
    "count",
    env="HISTORY_NUMBER",
    type=options.Whole(1, 1_000_000_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Print the last N messages.",
)
@options.option(
    "--since", env="HISTORY_SINCE", metavar="TIME", help="Only messages that arrived at this time or later."
)
@options.option(
    "--until", env="HISTORY_UNTIL", metavar="TIME", help="Only messages that arrived up to this time."
)
@options.option(
    "--from",
    "senders",
    env="HISTORY_FROM",
    multiple=True,
    metavar="WHO",
    help="Only from this name, which senders choose, or identity, such as 4f9fa251; can be repeated.",
)
@options.option(
    "--search", "sought", env="HISTORY_SEARCH", metavar="TEXT", help="Only messages with these words."
)
@options.json_output
@options.user
@options.profile
@options.quiet
@click.pass_obj
def history(
    app: App,
    key: str,
    user: str | None,
    rooms: tuple[str, ...],
    count: int,
    since: str | None,
    until: str | None,
    senders: tuple[str, ...],
    sought: str | None,
    as_json: bool,
) -> None:
    """Show and search saved messages.

    `sub` saves what it prints or handles, unless you give it --no-history. Messages that you send are saved when `sub`
    receives them. The newest is at the bottom.

    It uses no network and needs no session: it reads a file on this machine, one for each user of a profile, which only
    you can read. Removing a profile or deleting an account leaves that file.

    ROOM can be a pattern such as 'ops/#'. Without it, every room is shown.

    TIME is 30m, 2h, 3d or 1w ago; 14:00; today, yesterday or monday, also with a time; or 2026-01-31, 2026-01-31 14:00
    or 2026-01-31T14:00:00Z. Times are local.

    TEXT is words, "a phrase", the beginning of a word (deploy*), -word for none with it, or one OR another. It can also
    have from:alice, room:ops, before:TIME and after:TIME. Case and accents do not count.

    What follows the sender in parentheses: whether the message was edited or deleted, reactions, and what it answers.

    \b
    Examples:
      aws-iot history
      aws-iot history lobby -n 100 --since yesterday
      aws-iot history --search 'deploy* -test' --from alice
      aws-iot history 'ops/#' --json | jq .text
    """
    from aws_iot.history.search import parse_search
    from aws_iot.history.store import Filter, History
    from aws_iot.history.times import parse

    now = app.settings.now()
    wanted = Filter(
        rooms, senders, parse(since, now).start if since else None, parse(until, now).end if until else None
    )
    if wanted.since and wanted.until and wanted.since > wanted.until:
        raise click.UsageError("--since is later than --until.")
    search = parse_search(sought, now) if sought is not None else None
    path = _file(app, app.config.profiles.load(key), user)
    with output.Lines() as lines, History(path) as opened:
        found = _search(opened, search, wanted, count) if search else opened.last(wanted, count)
        form = _json_line if as_json else _printed(lines, search)
        for entry in found:
            lines.add(form(entry))
    if not found:
        output.info("No message was found.")


def _file(app: App, profile: Profile, user: str | None) -> Path:
    """The file of the named user, the signed-in one, the preset one, or else the last one whose messages were saved.

    Raises `LocalError` if nothing was saved.
    """
    from aws_iot.history.file.schema import history_file
    from aws_iot.history.owners import owners

    folder = app.settings.folders.history(profile.key)
    saved = app.auth.sessions.load(profile)
    known = owners(folder)
    if saved:
        known.setdefault(saved.username, saved.identity)
    username = user or (saved.username if saved else profile.username)
    if not user and username not in known:
        username = next(reversed(known), None)
    identity = known.get(username or "")
    # The pools of a profile can change. Its signed-in user then has another identity than before.
    if saved and saved.username == username:
        identity = saved.identity
    if identity and (path := history_file(folder, identity)).exists():
        return path
    whose = f" of {username}" if username else ""
    named = f" -u {shlex.quote(user)}" if user else ""
    raise LocalError(
        f"the profile '{profile.key}' has no history{whose} yet, in {folder}",
        hint=f"`sub` saves the messages that it receives: aws-iot sub -k {profile.key}{named}",
    )


def _search(opened: Any, search: Search, wanted: Filter, count: int) -> list[Entry]:
    from dataclasses import replace

    from aws_iot.history.search import search as find

    since = max(filter(None, (search.since, wanted.since)), default=None)
    until = min(filter(None, (search.until, wanted.until)), default=None)
    narrowed = replace(search, since=since, until=until)
    return find(opened, narrowed, count, rooms=wanted.rooms, senders=wanted.senders)


def _json_line(entry: Entry) -> str:
    """The line of `sub --json`, and what has become of the message."""
    became: dict[str, Any] = {}
    if entry.is_edited:
        became["edited"] = True
    if entry.is_deleted:
        became["deleted"] = True
    if entry.reactions:
        became["reactions"] = {one.text: [*one.senders] for one in entry.reactions}
    line = to_line(entry.message)
    return f"{line[:-1]}, {json.dumps(became)[1:]}" if became else line


def _printed(lines: output.Lines, search: Search | None) -> Callable[[Entry], str]:
    """Makes the lines that `sub` prints, for what stdout is."""
    is_colored, columns = is_on(), terminal_width()
    line_of = colored_message_line if is_colored else message_line

    def form(entry: Entry) -> str:
        text = entry.message.text
        shown = highlighted(text, search.highlights(text)) if search and is_colored else None
        line = line_of(entry.message, columns, marks=entry_marks(entry), shown=shown)
        if columns is None:
            return line
        from aws_iot.cli.ui.wrapping import fold  # here: a pipe needs no width

        return fold(lines.encodable(line), columns)

    return form
