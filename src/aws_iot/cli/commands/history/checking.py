"""`aws-iot history stats` and `check`: what the history has, and whether its file is sound."""

import json
import shlex
from contextlib import suppress

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.history.opening import existing_file, opened, typed_owner
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import counted
from aws_iot.cli.ui.tables import facts
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError
from aws_iot.messaging.message import timestamp


@click.command("stats", cls=Command)
@options.json_output
@options.user
@options.profile
@options.quiet
@click.pass_obj
def stats_(app: App, key: str, user: str | None, as_json: bool) -> None:
    """Show how much is saved, since when, and where.

    \b
    Examples:
      aws-iot history stats
      aws-iot history stats --json
    """
    from aws_iot.history.upkeep.maintenance import stats

    profile = app.config.profiles.load(key)
    with opened(app, key, user) as history:
        found = stats(history)
        path = history.path
    if as_json:
        row = found._asdict() | {
            "first": found.first and timestamp(found.first),
            "last": found.last and timestamp(found.last),
            "file": str(path),
            "saving": profile.history,
            "days": profile.history_days,
            "megabytes": profile.history_megabytes,
        }
        output.data(json.dumps(row))
        return
    rows = {
        "Messages": f"{found.messages:,}, {found.unread:,} of them unread",
        "Rooms": f"{found.rooms:,}",
        "Senders": f"{found.senders:,}",
    }
    if found.first and found.last:
        rows["First"] = f"{found.first.astimezone():%Y-%m-%d %H:%M}"
        rows["Last"] = f"{found.last.astimezone():%Y-%m-%d %H:%M}"
    rows |= {
        "Size": _size(found.bytes),
        "File": str(path),
        "Saving": _saving(profile),
    }
    for line in facts(rows):
        output.data(line)


def _saving(profile: Profile) -> str:
    """Such as `on, for 90 days, up to 500 MB`."""
    parts = ["on" if profile.history else "off"]
    if profile.history_days:
        parts.append(f"for {counted(profile.history_days, 'day')}")
    if profile.history_megabytes:
        parts.append(f"up to {profile.history_megabytes:,} MB")
    return ", ".join(parts)


def _size(size: int) -> str:
    """Such as `1.5 MB`."""
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:,.1f} MB"


@click.command("check", cls=Command)
@options.option(
    "--repair",
    env="HISTORY_CHECK_REPAIR",
    is_flag=True,
    help="If something is wrong, save what can be read in a new file.",
)
@options.user
@options.profile
@options.quiet
@click.pass_obj
def check_(app: App, key: str, user: str | None, repair: bool) -> None:
    """Check whether the file of the history is sound.

    If it is damaged, the exit code is 3. A repair leaves the damaged file under another name.

    \b
    Examples:
      aws-iot history check
      aws-iot history check --repair
    """
    from aws_iot.history.file.schema import HistoryDamaged
    from aws_iot.history.upkeep.repair import check
    from aws_iot.history.upkeep.repair import repair as make_new

    path = existing_file(app, key, user)
    with suppress(HistoryDamaged), opened(app, key, user):
        pass  # take in what programs have saved: before the first time, there is no file to check
    problems = check(path)
    if not problems:
        output.info(f"No problem was found in {path}.")
        return
    for line in problems:
        output.error(line)
    if not repair:
        raise LocalError(
            f"{path}: the history is damaged",
            hint=f"To repair it: aws-iot history check --repair{typed_owner()}",
        )
    repaired = make_new(path, app.settings.now())
    output.info(
        f"Repaired: {counted(repaired.messages)} could be read. The damaged file is now {repaired.aside}."
    )
    output.hint(f"When nothing is missing, remove it: rm {shlex.quote(str(repaired.aside))}")
