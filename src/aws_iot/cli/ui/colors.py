"""Colors: what they mean, and whether a stream gets them."""

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

_RESET = "\x1b[0m"


class Role(StrEnum):
    """What a text is. The value selects how a terminal shows it."""

    ERROR = "1;31"
    WARNING = "33"
    GOOD = "32"
    HINT = "36"
    HEADING = "1"
    FAINT = "2"


def is_on(
    stream: TextIO | None = None, environ: Mapping[str, str] | None = None, *, platform: str = sys.platform
) -> bool:
    """Whether to color what is written to `stream`, by default stdout: see no-color.org and bixense.com/clicolors."""
    env = os.environ if environ is None else environ
    if env.get("NO_COLOR"):
        return False
    if env.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    if env.get("CLICOLOR") == "0" or env.get("TERM") == "dumb":
        return False
    # The old console of Windows prints the codes as text. Terminals that understand them set one of these.
    if platform == "win32" and not {"WT_SESSION", "TERM", "ANSICON"} & {*env}:
        return False
    stream = sys.stdout if stream is None else stream
    return stream is not None and stream.isatty()


def paint(text: str, style: str) -> str:
    """`text` in a style, such as a `Role`. It must be harmless already."""
    return f"\x1b[{style}m{text}{_RESET}" if text else text
