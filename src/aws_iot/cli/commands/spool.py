"""`aws-iot spool`: messages that `pub --spool` has saved and not sent yet."""

from __future__ import annotations  # so that what only types need is not imported

import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.groups import Group
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import table
from aws_iot.cli.ui.terminal import is_confirmed, need_terminal
from aws_iot.errors import LocalError
from aws_iot.messaging.message import timestamp

if TYPE_CHECKING:
    from aws_iot.config.profile import Profile
    from aws_iot.publishing.spool.store import Waiting

# The store and its database are imported when a command needs them: `--help` would wait for them.


@click.group(cls=Group)
def spool() -> None:
    """Show or delete messages that `pub --spool` has not sent."""


@spool.command("list")
@options.argument("folders", nargs=-1, type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]...")
@options.profile_key("SPOOL_LIST", help="List only messages that this profile can send.")
@options.json_output
@click.pass_obj
def list_(app: App, folders: tuple[Path, ...], key: str | None, as_json: bool) -> None:
    """List the spools, and what is waiting in each.

    Shows the folder, the number of messages, the time of the oldest, the profile, the user and the rooms.

    Without DIR, it lists the spools that you have used. If one cannot be read, it lists the others and exits with 3.

    \b
    Examples:
      aws-iot spool list
      aws-iot spool list -k ci
      aws-iot spool list outbox --json
    """
    from aws_iot.publishing.spool.registry import SpoolRegistry

    if key:
        app.config.profiles.path(key)  # if there is no such profile, the error tells which there are
    for folder in folders:
        _check_is_spool(folder)
    found = folders or SpoolRegistry(app.settings.folders.spools).folders()
    profiles = [*app.config.profiles.readable()]
    rows: list[dict[str, Any]] = []
    errors: list[LocalError] = []
    for folder in found:
        try:
            rows += _rows(folder, profiles)
        except LocalError as error:  # after the others
            errors.append(error)
    if key:
        rows = [row for row in rows if key in row["profiles"]]
    _print_rows(rows, as_json)
    for unreadable in errors:
        output.failure(unreadable)
    if errors:
        click.get_current_context().exit(LocalError.exit_code)
    if not found and not as_json:
        output.info("You have not used a spool yet. To use one: aws-iot pub -r ROOM --lines --spool DIR")
    elif key and not rows and not as_json:
        output.info(f"Nothing is waiting for the profile '{key}'.")


def _print_rows(rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            output.data(json.dumps(row))
        return
    headers = ("SPOOL", "MESSAGES", "OLDEST", "PROFILE", "USER", "ROOMS")
    for line in table(headers, [*map(_cells, rows)], shorten=("ROOMS",)):
        output.data(line)


@spool.command()
@options.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@options.option("--yes", env="SPOOL_CLEAR_YES", is_flag=True, help="Do not ask.")
@click.pass_obj
def clear(app: App, folder: Path, yes: bool) -> None:
    """Delete all messages in a spool, without sending them.

    It asks first. While `pub` sends from the spool, nothing is deleted.

    \b
    Examples:
      aws-iot spool clear outbox
      aws-iot spool clear outbox --yes
    """
    from aws_iot.publishing.spool.store import Spool

    _check_is_spool(folder)
    with Spool(folder, "", None) as opened:
        waiting = sum(one.messages for one in opened.waiting())
        if waiting and not yes:
            need_terminal(app, "A confirmation is needed, because this cannot be undone", "use --yes")
            if not is_confirmed(f"Delete {_counted(waiting, 'unsent message')} in {folder}?"):
                output.info("Nothing was deleted.")
                click.get_current_context().exit(1)  # so that a script stops here
        output.info(f"Deleted {_counted(opened.clear())}.")


def _check_is_spool(folder: Path) -> None:
    from aws_iot.publishing.spool.registry import is_spool

    if not is_spool(folder):
        raise LocalError(
            f"{folder}: there is no spool in this folder",
            hint="To list the spools that you have used: aws-iot spool list",
        )


def _rows(folder: Path, profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    from aws_iot.publishing.spool.store import Spool, Waiting

    with Spool(folder, "", None) as opened:
        waiting = opened.waiting()
    none = [Waiting("", None, 0, None, ())]
    return [_row(folder, one, profiles) for one in waiting or none]


def _row(folder: Path, waiting: Waiting, profiles: Sequence[Profile]) -> dict[str, Any]:
    fitting = [profile for profile in profiles if profile.identity_pool_id == waiting.pool]
    of_user = [profile for profile in fitting if profile.username == waiting.username]
    oldest = None if waiting.oldest is None else datetime.fromtimestamp(waiting.oldest, UTC)
    return {
        "spool": str(folder.absolute()),
        "messages": waiting.messages,
        "oldest": oldest and timestamp(oldest),
        "profiles": [profile.key for profile in of_user or fitting],
        "pool": waiting.pool or None,
        "user": waiting.username,
        "rooms": [*waiting.rooms],
    }


def _cells(row: dict[str, Any]) -> list[str | None]:
    oldest = row["oldest"] and datetime.fromisoformat(row["oldest"]).astimezone()
    return [
        _typeable(Path(row["spool"])),
        f"{row['messages']:,}",
        oldest and f"{oldest:%Y-%m-%d %H:%M}",
        ", ".join(row["profiles"]),
        row["user"],
        ", ".join(row["rooms"]),
    ]


def _typeable(folder: Path) -> str:
    """The folder as a person can type it in a shell: below the current one if it is there."""
    here = Path.cwd()
    return shlex.quote(str(folder.relative_to(here) if folder.is_relative_to(here) else folder))


def _counted(number: int, what: str = "message") -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
