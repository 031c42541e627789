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
    next_steps: str
    """What to do after it was installed. Each line that is to be copied is on its own."""
    last_step: str
    """What to do after it was removed."""


def script(shell: str) -> bytes:
    """The script for one of `SHELLS`."""
    name = f"aws-iot.{_SUFFIXES.get(shell, shell)}"
    return (Path(__file__).parent / "scripts" / name).read_bytes()


def script_file(shell: str) -> ScriptFile:
    """The file for one of `SHELLS`. Raises `LocalError` if there is no home folder."""
    new_shells = "New shells no longer complete aws-iot."
    if shell == "bash":
        path = _folder("XDG_DATA_HOME", "~/.local/share") / "bash-completion" / "completions" / "aws-iot"
        # The package is not on every system.
        steps = (
            "New shells that load the package bash-completion use it.\n"
            "Without that package, add this line to ~/.bashrc:\n"
            'eval "$(aws-iot completion bash)"'
        )
        return ScriptFile(path, steps, new_shells)
    if shell == "fish":
        path = _folder("XDG_CONFIG_HOME", "~/.config") / "fish" / "completions" / "aws-iot.fish"
        return ScriptFile(path, "New shells use it.", new_shells)
    if shell == "zsh":
        path = _folder("XDG_DATA_HOME", "~/.local/share") / "zsh" / "site-functions" / "_aws-iot"
        # After compinit, the line would need a second one, which takes half a second in every new shell.
        steps = (
            "Add this line to ~/.zshrc, before the line with `compinit`, or before what loads oh-my-zsh:\n"
            f"fpath=({shlex.quote(str(path.parent))} $fpath)\n"
            "If there is no such line, add this one as well:\n"
            "autoload -Uz compinit && compinit\n"
            "New shells use it then."
        )
        return ScriptFile(path, steps, f"Remove its line from ~/.zshrc, too. {new_shells}")
    path = _powershell_folder() / "aws-iot-completion.ps1"
    quoted = str(path).replace("'", "''")
    profile = "the file that $PROFILE names"
    return ScriptFile(
        path,
        f"Add this line to {profile}:\n. '{quoted}'",
        f"Remove its line from {profile}, too. {new_shells}",
    )


def _powershell_folder() -> Path:
    if sys.platform == "win32":
        return expanded(Path("~/Documents/PowerShell"))
    return _folder("XDG_CONFIG_HOME", "~/.config") / "powershell"


def _folder(variable: str, default: str) -> Path:
    """What an XDG variable names. As its standard asks, a relative path counts as not set."""
    named = Path(os.environ.get(variable) or ".")
    return named if named.is_absolute() else expanded(Path(default))
