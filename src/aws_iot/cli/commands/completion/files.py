"""Where the completion script of each shell is installed, and what its user has to do then."""

import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from aws_iot.config.paths import expanded

SHELLS = ("bash", "zsh", "fish", "powershell")
_SUFFIXES = {"powershell": "ps1"}


class ScriptFile(NamedTuple):
    """A script, as it is installed."""

    path: Path
    next_step: str
    line: str = ""
    """What to add to the settings of the shell."""
    last_step: str = ""
    """What to do after it was removed."""


def script(shell: str) -> bytes:
    """The script for one of `SHELLS`."""
    name = f"aws-iot.{_SUFFIXES.get(shell, shell)}"
    return (Path(__file__).parent / "scripts" / name).read_bytes()


def script_file(shell: str) -> ScriptFile:
    """The file for one of `SHELLS`. Raises `LocalError` if there is no home folder."""
    if shell == "bash":
        path = _folder("XDG_DATA_HOME", "~/.local/share") / "bash-completion" / "completions" / "aws-iot"
        return ScriptFile(path, "It works in new shells that load the package bash-completion.")
    if shell == "fish":
        path = _folder("XDG_CONFIG_HOME", "~/.config") / "fish" / "completions" / "aws-iot.fish"
        return ScriptFile(path, "It works in new shells.")
    if shell == "zsh":
        path = _folder("XDG_DATA_HOME", "~/.local/share") / "zsh" / "site-functions" / "_aws-iot"
        line = f"fpath=({shlex.quote(str(path.parent))} $fpath); autoload -Uz compinit && compinit"
        return ScriptFile(path, "Add this line to ~/.zshrc:", line, "Remove its line from ~/.zshrc, too.")
    path = _powershell_folder() / "aws-iot-completion.ps1"
    quoted = str(path).replace("'", "''")
    return ScriptFile(
        path,
        "Add this line to the file that $PROFILE names:",
        f". '{quoted}'",
        "Remove its line from the file that $PROFILE names, too.",
    )


def _powershell_folder() -> Path:
    if sys.platform == "win32":
        return expanded(Path("~/Documents/PowerShell"))
    return _folder("XDG_CONFIG_HOME", "~/.config") / "powershell"


def _folder(variable: str, default: str) -> Path:
    """What an XDG variable names. As its standard asks, a relative path counts as not set."""
    named = Path(os.environ.get(variable) or ".")
    return named if named.is_absolute() else expanded(Path(default))
