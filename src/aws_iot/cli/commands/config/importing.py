"""`aws-iot config import`: take over the profiles of the npm tool."""

from __future__ import annotations  # so that what only types need is not imported

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.config.editor import editor_of
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.errors import LocalError, ProfileError

if TYPE_CHECKING:
    from aws_iot.config.exports_files.reader import ImportedProfile


@click.command("import", cls=Command)
@options.argument("file", type=click.Path(path_type=Path), default=Path("~/.cognitorc"), metavar="[FILE]")
@options.option(
    "--replace", "overwrite", env="CONFIG_IMPORT_REPLACE", is_flag=True, help="Replace existing profiles."
)
@click.pass_obj
def import_(app: App, file: Path, overwrite: bool) -> None:
    """Import the profiles of the npm tool.

    It reads ~/.cognitorc, or the file that you name. That file stays unchanged and still holds the passwords: delete it
    when everything works.

    \b
    Example:
      aws-iot config import
    """
    from aws_iot.config.exports_files.reader import read_cognitorc
    from aws_iot.config.paths import expanded

    path, failed = expanded(file), 0
    for found in read_cognitorc(path):
        try:
            output.info(f"{found.key}: {_import(app, found, overwrite)}")
        except LocalError as error:
            failed += 1
            output.info(f"{found.key}: not imported: {error}")
            for line in (error.hint or "").splitlines():
                output.info(line)
    if failed:
        raise ProfileError(f"{failed} of the profiles in {path} could not be imported")


def _import(app: App, found: ImportedProfile, overwrite: bool) -> str:
    if isinstance(found.profile, ProfileError):
        raise found.profile
    if found.key in app.config.profiles.keys() and not overwrite:
        return "exists already; --replace replaces it"
    if found.conflict:
        output.info(f"{found.key}: {found.conflict}")
    editor_of(app).replace(found.key, found.profile)
    if found.password and found.profile.username:
        app.config.secrets.set("password", found.key, found.profile.username, found.password)
        return "imported, with the password"
    return "imported"
