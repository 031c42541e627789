"""A command that the program suggests ends its line, so that a person can type or paste the line's end as it stands."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aws_iot.cli.root import root
from tests.conftest import REPOSITORY

SOURCES = sorted((REPOSITORY / "src" / "aws_iot").rglob("*.py"))
FILLED = "\0"
"""What stands in the text for a part that is known only when the program runs."""
MAKES_COMMAND = re.compile(r"command\(|^(create|remove)$")
"""What the source of a part looks like that is a whole command."""
COMMAND = re.compile(r": (?=(?:aws-iot|aws) [a-z])")
MAY_SUGGEST = re.compile(r"aws-iot|aws |command\(|create|remove")
"""What is in each module that suggests a command. Parsing all modules would take a second, in each test process."""


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Each line of a text that the program may print, and where it is. Docstrings and templates of help are none."""
    source = path.read_text(encoding="utf-8")
    if not MAY_SUGGEST.search(source):
        return
    nodes = list(ast.walk(ast.parse(source)))
    inside = {part for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    statements = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if node in inside or node in statements:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(map(part_text, node.values))
        else:
            continue
        for line in text.splitlines():
            yield f"{path.name}:{node.lineno}", line


def part_text(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return "aws-iot \0" if MAKES_COMMAND.search(ast.unparse(part.value)) else FILLED


SUGGESTED = [
    (where, COMMAND.split(line)[-1])
    for path in SOURCES
    for where, line in texts(path)
    if COMMAND.search(line) or line.startswith("aws-iot \0")
]


def test_commands_are_found() -> None:
    assert len(SUGGESTED) > 40


@pytest.mark.parametrize(("where", "command"), SUGGESTED)
def test_no_text_follows_a_suggested_command(where: str, command: str) -> None:
    for mark in (". ", ", ", "; ", " (", "` "):
        assert mark not in command, where
    assert not command.endswith((".", ",", ";", ")")), where
    if command.startswith("aws-iot \0"):
        assert command == "aws-iot \0", where  # made elsewhere, and the text ends with it


@pytest.mark.parametrize(
    ("where", "command"),
    [one for one in SUGGESTED if one[1].startswith("aws-iot ") and FILLED not in one[1].split(" ")[1]],
)
def test_a_suggested_command_exists_and_has_its_options(where: str, command: str) -> None:
    command = re.sub(r"(?<=[a-z])\0|\0(?=-)", "", command)  # an option that may be absent
    found: click.Command = root
    words = shlex.split(command.replace(FILLED, "KEY"))[1:]
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        sub = found.get_command(click.Context(found), words.pop(0))
        assert sub, where
        found = sub
    _, left, _ = found.make_parser(click.Context(found)).parse_args(words)
    allowed = sum(isinstance(one, click.Argument) for one in found.params)
    assert not left or allowed, where
