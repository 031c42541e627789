"""What the shell of the person reads: whether it is a POSIX shell, and how it sets a variable."""

import shlex
import sys

IS_POSIX = sys.platform != "win32"
"""Whether a backslash continues a line, and quotes are those of POSIX. On Windows, the shell is cmd or PowerShell."""


def setting(variable: str, value: str, *, posix: bool = IS_POSIX) -> str:
    """The line that sets an environment variable, for this shell and what it starts. On Windows, it is for cmd."""
    return f"export {variable}={shlex.quote(value)}" if posix else f'set "{variable}={value}"'
