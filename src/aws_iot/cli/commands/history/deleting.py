"""`aws-iot history delete`: delete messages from this machine."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.history.filters import to_filter
from aws_iot.cli.commands.history.opening import opened, typed_owner
from aws_iot.cli.commands.history.unknown_rooms import explain_unknown
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import counted
from aws_iot.cli.ui.progress import ProgressLine
from aws_iot.cli.ui.terminal import is_confirmed, need_terminal

if TYPE_CHECKING:
    from aws_iot.history.store import Filter


@click.command(cls=Command)
@options.argument("rooms", nargs=-1, metavar="[ROOM]...", completes="saved-rooms")
@options.option(
    "--from",
    "senders",
    env="HISTORY_DELETE_FROM",
    multiple=True,
    metavar="WHO",
    help="Only messages from this name or identity; can be repeated.",
)
@options.option(
    "--before", env="HISTORY_DELETE_BEFORE", metavar="TIME", help="Only messages that arrived before this."
)
@options.option(
    "--all", "everything", env="HISTORY_DELETE_ALL", is_flag=True, help="Delete the messages of every room."
)
@options.option("--yes", env="HISTORY_DELETE_YES", is_flag=True, help="Do not ask.")
@options.user
@options.profile
@options.quiet
@click.pass_obj
def delete(
    app: App,
    key: str,
    user: str | None,
    rooms: tuple[str, ...],
    senders: tuple[str, ...],
    before: str | None,
    everything: bool,
    yes: bool,
) -> None:
    """Delete messages from this machine.

    It shows how many and asks first. Other people keep their copies. Only what fits ROOM, --from and --before alike is
    deleted. TIME is as of `history --since`: 90d is 90 days ago.

    \b
    Examples:
      aws-iot history delete lobby
      aws-iot history delete --from bob
      aws-iot history delete --before 90d --yes
    """
    from dataclasses import replace

    from aws_iot.history.times import parse
    from aws_iot.history.upkeep.maintenance import delete as delete_messages

    if not (rooms or senders or before or everything):
        raise click.UsageError("Which messages? Give a ROOM, --from WHO, --before TIME, or --all.")
    if everything and (rooms or senders or before):
        raise click.UsageError("--all excludes ROOM, --from and --before.")
    now = app.settings.now()
    wanted = to_filter(now, rooms, None, None, senders)
    if before:
        wanted = replace(wanted, until=parse(before, now).start)
    with opened(app, key, user) as history:
        messages = history.count(wanted)
        if not messages:
            output.info("No message was found. Nothing was deleted.")
            explain_unknown(history, rooms, typed_owner())
            return
        if not yes:
            need_terminal(app, "A confirmation is needed, because this cannot be undone", "use --yes")
            if not is_confirmed(f"Delete {counted(messages)}{_which(wanted)} from this machine?"):
                output.info("Nothing was deleted.")
                click.get_current_context().exit(1)  # so that a script stops here
        progress = ProgressLine()
        try:
            deleted = delete_messages(history, wanted, lambda so_far: progress.show(f"{counted(so_far)} …"))
        finally:
            progress.clear()
        output.info(f"Deleted {counted(deleted)}.")


def _which(wanted: Filter) -> str:
    """Such as ` in lobby from bob before 2026-01-31 14:00`."""
    parts = [f" in {', '.join(wanted.rooms)}" if wanted.rooms else ""]
    parts.append(f" from {', '.join(wanted.senders)}" if wanted.senders else "")
    parts.append(f" before {wanted.until.astimezone():%Y-%m-%d %H:%M}" if wanted.until else "")
    return output.visible("".join(parts))
