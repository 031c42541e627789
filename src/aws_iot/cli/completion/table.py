"""The table of all commands, as a file that `make docs` writes from Click's commands."""

import json
import os
from functools import cache
from typing import Any

FILE = "commands.json"

Parameter = dict[str, Any]
"""An option or argument.

`name` is its name in the program. `nargs` is the number of values: 0 of a flag, -1 of an argument that can be repeated.
`completes` is a list of values, `files`, `folders`, `help`, or a key of `aws_iot.cli.completion.names.NAMES`. An option
has `names` and `help`. It may have `old_names`, which are not offered, and be `hidden`, `multiple` or
`is_value_optional`.
"""

Command = dict[str, Any]
"""A command: its `options`, its `arguments`, and its `commands`, each with its summary."""


def commands() -> dict[str, Command]:
    """Each command under its path, such as `admin accept`. That of `aws-iot` is empty."""
    found: dict[str, Command] = _load()["commands"]
    return found


def topics() -> dict[str, str]:
    """The topics of `aws-iot help`, with their summaries."""
    found: dict[str, str] = _load()["topics"]
    return found


@cache
def _load() -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), FILE), encoding="utf-8") as file:  # noqa: PTH118, PTH120, PTH123 pathlib takes longer
        found: dict[str, Any] = json.load(file)
    return found
