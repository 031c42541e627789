"""`aws-iot history`: the messages that were saved on this machine."""

from __future__ import annotations  # so that what only types need is not imported

import importlib
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.history.filters import to_filter, which_messages
from aws_iot.cli.commands.history.opening import opened, typed_owner
from aws_iot.cli.commands.history.unknown_rooms import explain_unknown
from aws_iot.cli.groups import Group
from aws_iot.cli.ui import output
from aws_iot.cli.ui.pager import print_lines
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aws_iot.history.search import Search
    from aws_iot.history.store import Entry, Filter, History

# The history and what prints it are imported when the command runs: `--help` and the Tab key would wait for them.

_COMMANDS = {
    "rooms": "rooms:rooms_",
    "export": "transfer:export",
    "import": "transfer:import_",
    "delete": "deleting:delete",
    "stats": "checking:stats_",
    "check": "checking:check_",
}
"""The module and the name of each subcommand. A module is imported when its command is used."""

_IS_COMMAND = "aws_iot.history.is_command"
"""The key in Click's context for whether a subcommand follows."""

FEW = 20
"""Number of messages that are shown unless the person asks for others."""

ALL = 1_000_000_000


class _History(Group):
    """A group whose argument is a room, unless the first word is the name of a subcommand."""

    allow_interspersed_args = True

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            module, _, name = _COMMANDS[cmd_name].partition(":")
            found = importlib.import_module(f"aws_iot.cli.commands.history.{module}")
            self.add_command(getattr(found, name), cmd_name)
        return super().get_command(ctx, cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_command, has_dashes = bool(args) and args[0] in _COMMANDS, "--" in args
        ctx.meta[_IS_COMMAND] = is_command
        ctx.allow_interspersed_args = not is_command
        rest = super().parse_args(ctx, args)
        first = next(iter(ctx.params.get("rooms", ())), "")
        if first in _COMMANDS and not has_dashes and not ctx.resilient_parsing:
            ctx.fail(f"Put options after '{first}'. To see a room of this name: aws-iot history -- {first}")
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        params = super().get_params(ctx)
        if ctx.meta.get(_IS_COMMAND):  # the words that follow are the subcommand's
            return [param for param in params if not isinstance(param, click.Argument)]
        return params


class _Chosen(NamedTuple):
    """What to show, as the options say."""

    wanted: Filter
    search: Search | None
    most: int
    context: int
    ids: bool


@click.group(cls=_History, invoke_without_command=True, subcommand_metavar="| COMMAND [ARGS]...")
@which_messages
@options.option(
    "-n",
    "--number",
    "count",
    env="HISTORY_NUMBER",
    type=options.Whole(1, ALL),
    metavar="N",
    help=f"Print the last N messages.  [default: {FEW}; with --since: all]",
)
@options.option(
    "--search", "sought", env="HISTORY_SEARCH", metavar="TEXT", help="Only messages with these words."
)
@options.option(
    "--context",
    env="HISTORY_CONTEXT",
    type=options.Whole(0, 1000),
    default=0,
    metavar="N",
    help="With --search or --from: also N messages of the room before and after each.",
)
@options.option(
    "--ids",
    env="HISTORY_IDS",
    is_flag=True,
    help="Print the beginning of each message's ID, for `pub --reply-to`.",
)
@options.json_output
@options.option(
    "--no-pager", env="NO_PAGER", is_flag=True, help="Print to the terminal even what does not fit on it."
)
@options.user
@options.profile
@options.quiet
@click.pass_context
def history(
    ctx: click.Context,
    /,
    key: str | None,
    user: str | None,
    count: int | None,
    since: str | None,
    until: str | None,
    senders: tuple[str, ...],
    sought: str | None,
    context: int,
    ids: bool,
    as_json: bool,
    no_pager: bool,
    rooms: tuple[str, ...] = (),
) -> None:
    """Show and search saved messages.

    `sub` saves what it prints or handles, and `pub` what it sends, unless you give them --no-history. The newest is at
    the bottom. If it does not fit on the screen, it is shown by $PAGER. No network and no session is necessary.

    ROOM can be a pattern such as 'ops/#'. A room that has the name of a command follows `--`.

    TIME is 30m, 2h, 3d or 1w ago; 14:00; today, yesterday or monday, also with a time; or 2026-01-31, 2026-01-31 14:00
    or 2026-01-31T14:00:00Z. Times are local. One with a blank needs quotation marks: 'yesterday 14:00'.

    TEXT is words, "a phrase", the beginning of a word (deploy*), -word for none with it, or one OR another. It can also
    have from:alice, room:ops, before:TIME and after:TIME. Case and accents do not count.

    What follows the sender in parentheses: edited or deleted, reactions, and what it answers.

    \b
    Examples:
      aws-iot history lobby -n 100
      aws-iot history --since yesterday --from alice
      aws-iot history --search 'deploy* -test' --context 2
      aws-iot history 'ops/#' --json | jq .text
      aws-iot history rooms
    """
    app = ctx.find_object(App) or App()
    if ctx.invoked_subcommand:
        return
    now = app.settings.now()
    search = None
    if sought is not None:
        from aws_iot.history.search import parse_search

        search = parse_search(sought, now)
    if context and not (search or senders):
        raise click.UsageError("--context requires --search or --from.")
    wanted = to_filter(now, rooms, since, until, senders)
    chosen = _Chosen(wanted, search, count or (ALL if since else FEW), context, ids)
    key = options.given_or_default(app, key)
    with opened(app, key, user) as saved:
        printed = _Printed()
        print_lines(printed.noting(_lines(saved, chosen, as_json)), may_page=not (no_pager or as_json))
        if sys.stdout.isatty() and not (search or senders or until):
            printed.mark_read(saved)
        is_explained = explain_unknown(saved, rooms, typed_owner(), _COMMANDS, since)
        if not (printed.last or is_explained):
            output.info("No message was found.")


class _Printed:
    """What has been printed."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        """The place of the last message of each room."""

    def noting(self, lines: Iterable[tuple[Entry | None, str]]) -> Iterator[str]:
        """The lines, which will be printed."""
        for entry, line in lines:
            if entry:
                self.last[entry.message.room] = entry.at
            yield line

    def mark_read(self, saved: History) -> None:
        """The person has read it."""
        with suppress(LocalError):  # a medium that cannot be written
            for room, at in self.last.items():
                saved.mark_read(room, at)


def _lines(saved: History, chosen: _Chosen, as_json: bool) -> Iterator[tuple[Entry | None, str]]:
    """The messages, and what is between them, as lines."""
    from aws_iot.cli.commands.history.entry_lines import SEPARATOR, json_line, printed_line

    form = printed_line(chosen.search, saved.shortened if chosen.ids else None)
    if not chosen.context:
        for entry in _found(saved, chosen):
            yield entry, json_line(entry) if as_json else form(entry, is_context=False)
        return
    from aws_iot.history.search import in_context

    is_first = True
    for block in in_context(saved, [*_found(saved, chosen)], chosen.context):
        if not (is_first or as_json):
            yield None, SEPARATOR
        is_first = False
        for entry, is_found in block:
            line = (
                json_line(entry, is_context=not is_found) if as_json else form(entry, is_context=not is_found)
            )
            yield entry, line


def _found(saved: History, chosen: _Chosen) -> Iterable[Entry]:
    wanted, search, count, *_ = chosen
    if not search:
        return saved.all(wanted) if count == ALL else saved.last(wanted, count)
    from dataclasses import replace

    from aws_iot.history.search import search as find

    since = max(filter(None, (search.since, wanted.since)), default=None)
    until = min(filter(None, (search.until, wanted.until)), default=None)
    narrowed = replace(search, since=since, until=until)
    return find(saved, narrowed, count, rooms=wanted.rooms, senders=wanted.senders)
