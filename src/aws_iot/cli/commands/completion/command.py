"""`aws-iot completion`: print, install or remove the completion script of a shell."""

from pathlib import Path

import click

from aws_iot.cli import COMPLETION_VARIABLE, options
from aws_iot.cli.commands.completion.files import SHELLS, script, script_file
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.errors import LocalError


@click.command(cls=Command)
@options.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
@options.option(
    "--install",
    env="COMPLETION_INSTALL",
    is_flag=True,
    help="Write the script where the shell finds it, and print where that is.",
)
@options.option("--uninstall", env="COMPLETION_UNINSTALL", is_flag=True, help="Remove that file.")
def completion(shell: str, install: bool, uninstall: bool) -> None:
    """Complete commands with the Tab key.

    Prints the completion script of a shell, or installs it. The Tab key then completes commands, options, profiles,
    rooms that you have used, members that `aws-iot admin` has accepted or listed, and files. Rooms whose names need
    quotes are left out. Rooms and members are those of the profile that -k names before them. Without -k, they are
    those of the current profile.

    SHELL is bash (4.4 or later), zsh, fish or powershell.

    \b
    Examples:
      aws-iot completion --install bash
      aws-iot completion --uninstall bash
      eval "$(aws-iot completion zsh)"   for this shell only, after compinit
      aws-iot completion fish | source   the same in fish
    """
    if install and uninstall:
        raise click.UsageError("Give either --install or --uninstall.")
    if uninstall:
        _uninstall(shell)
        return
    if install:
        _install(shell)
    else:
        output.data(script(shell).decode().rstrip())


def _install(shell: str) -> None:
    from aws_iot.files import write_private  # here: most runs print

    file = script_file(shell)
    _check_ours(file.path)
    write_private(file.path, script(shell))
    output.data(str(file.path))
    for line in f"Installed. {file.next_steps}".splitlines():
        output.info(line)


def _uninstall(shell: str) -> None:
    from aws_iot.files import delete

    file = script_file(shell)
    _check_ours(file.path)
    if delete(file.path):
        output.data(str(file.path))
        output.info(f"Removed. {file.last_step}")
    else:
        output.info(f"Nothing to remove: there is no {file.path}.")


def _check_ours(path: Path) -> None:
    """Raise `LocalError` if another program has written the file."""
    from aws_iot.files import read

    content = read(path)
    if content and COMPLETION_VARIABLE.encode() not in content:
        raise LocalError(f"{path}: is not a completion script of aws-iot", hint=f"Move it away: {path}")
