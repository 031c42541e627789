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


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Each line of a text that the program may print, and where it is. Docstrings and templates of help are none."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
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


@pytest.fixture(scope="module")
def suggested() -> list[tuple[str, str]]:
    """Each command that the program suggests, and where. A second of work, so not done where tests are collected."""
    return [
        (where, COMMAND.split(line)[-1])
        for path in SOURCES
        for where, line in texts(path)
        if COMMAND.search(line) or line.startswith("aws-iot \0")
    ]


def test_commands_are_found(suggested: list[tuple[str, str]]) -> None:
    assert len(suggested) > 40


def test_no_text_follows_a_suggested_command(suggested: list[tuple[str, str]]) -> None:
    followed = [
        (where, command)
        for where, command in suggested
        if any(mark in command for mark in (". ", ", ", "; ", " (", "` "))
        or command.endswith((".", ",", ";", ")"))
    ]
    assert followed == []
    made_elsewhere = [one for one in suggested if one[1].startswith("aws-iot \0")]
    assert [one for one in made_elsewhere if one[1] != "aws-iot \0"] == []  # the text ends with it


def test_a_suggested_command_exists_and_has_its_options(suggested: list[tuple[str, str]]) -> None:
    checked = [
        one for one in suggested if one[1].startswith("aws-iot ") and FILLED not in one[1].split(" ")[1]
    ]
    assert len(checked) > 40
    for where, command in checked:
        try:
            parse(command)
        except click.ClickException as error:
            raise AssertionError(f"{where}: {command}: {error.format_message()}") from error


def parse(command: str) -> None:
    """Have click parse a command line. Raises what click does if there is no such command or option."""
    command = re.sub(r"(?<=[a-z])\0|\0(?=-)", "", command)  # an option that may be absent
    found: click.Command = root
    words = shlex.split(command.replace(FILLED, "KEY"))[1:]
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        sub = found.get_command(click.Context(found), name)
        if not sub:
            raise click.UsageError(f"there is no {name}")
        found = sub
    _, left, _ = found.make_parser(click.Context(found)).parse_args(words)
    if left and not any(isinstance(one, click.Argument) for one in found.params):
        raise click.UsageError(f"{left} is too much")
