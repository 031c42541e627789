"""The person's own editor, for long messages."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path


class NoEditor(Exception):
    """There is no editor, or it failed. The text tells what to do."""


def edited(text: str) -> str:
    """The text after the person has edited it. It waits until they close the editor. Raises `NoEditor`."""
    line = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _usual()
    if not line:
        raise NoEditor("There is no editor: set EDITOR, such as EDITOR=nano.")
    with tempfile.TemporaryDirectory(prefix="aws-iot-") as folder:  # only its owner can read it
        path = Path(folder) / "message.txt"
        path.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(line), str(path)], check=False)
        except (OSError, ValueError) as error:
            raise NoEditor(f"The editor '{line}' cannot be started: {error}") from None
        if done.returncode:
            raise NoEditor(f"The editor ended with {done.returncode}, so the message is as it was.")
        return path.read_text(encoding="utf-8", errors="replace").rstrip("\n")


def _usual() -> str | None:
    return next(filter(None, map(shutil.which, ("sensible-editor", "nano", "vi", "notepad"))), None)
