"""What `--help` and `help` print: short, without broken words, and no wider than the terminal."""

import inspect
import re

import click
import pytest

from aws_iot.cli.commands.help.topics import TOPICS
from aws_iot.cli.groups import Command, Group
from aws_iot.cli.ui.help_formatter import HelpFormatter
from tests.conftest import CommandLine
from tests.project.commands import COMMANDS, OPTIONS

MAX_LINES = 60
LINES = [*(f"{path} --help".strip() for path in COMMANDS), "help", *(f"help {name}" for name in TOPICS)]
JARGON = re.compile(
    r"RANGE|[<>]=?x|x[<>]|\bFLOAT\b|\bINTEGER\b|env var|\bTEXT\b.*\bTEXT\b|\[\w+(\|\w+){3,}\]"
)


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("line", LINES)
def test_help_fits_the_terminal(aws_iot: CommandLine, line: str, columns: int) -> None:
    shown = aws_iot(line, env={"COLUMNS": str(columns)}).stdout.splitlines()
    assert [one for one in shown if len(one) > columns] == []
    assert [one for one in shown if JARGON.search(one)] == []
    if line == "--help" or (columns == 80 and line.endswith(" --help")):
        assert len(shown) <= MAX_LINES


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("path", COMMANDS)
def test_no_word_is_broken(aws_iot: CommandLine, path: str, columns: int) -> None:
    shown = aws_iot(f"{path} --help".strip(), env={"COLUMNS": str(columns)}).stdout
    command = COMMANDS[path]
    texts = [inspect.cleandoc(command.help or "")]
    texts += [
        param.help or "" for param in command.params if isinstance(param, click.Option) and not param.hidden
    ]
    words = {word for text in texts for word in text.replace("\b", "").split()} - {"\\"}
    assert words - set(shown.split()) == set()


def test_every_command_has_the_layout_of_help() -> None:
    other = [path for path, command in COMMANDS.items() if not isinstance(command, Command | Group)]
    assert other == [], "use `cls=Command` or `cls=Group`"


def test_a_wrong_number_is_explained_without_jargon() -> None:
    jargon = (click.types.IntParamType, click.types.FloatParamType)
    assert [(path, option.name) for path, option in OPTIONS if isinstance(option.type, jargon)] == [], (
        "use options.Whole or options.Number"
    )


def test_options_of_a_command_come_first_and_those_of_sign_in_last(aws_iot: CommandLine) -> None:
    shown = aws_iot("login --help").stdout
    places = [
        shown.index(text) for text in ("--remember-device", "--timeout", "--help", "--user", "--mfa-code")
    ]
    assert places == sorted(places)
    headings = re.findall(r"^(\S.*):$", shown, re.MULTILINE)
    assert headings == ["Options", "Common options", "Sign-in options"]


def test_commands_are_grouped(aws_iot: CommandLine) -> None:
    headings = re.findall(r"^(\S.*):$", aws_iot("--help").stdout, re.MULTILINE)
    assert headings == ["Talk", "Account", "Team", "Setup", "Options"]


def test_help_without_a_name_lists_commands_and_topics(aws_iot: CommandLine) -> None:
    shown = aws_iot("help").stdout
    for name in ("sub", "admin", *TOPICS):
        assert re.search(rf"^  {name} ", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("help sub", "sub --help"),
        ("help admin accept", "admin accept --help"),
        ("help subscribe", "sub --help"),
    ],
)
def test_help_with_a_command_prints_its_help(aws_iot: CommandLine, line: str, same: str) -> None:
    assert aws_iot(line).stdout == aws_iot(same).stdout


def test_help_about_nothing_known_is_an_error(aws_iot: CommandLine) -> None:
    assert "no command or topic 'frobnicate'" in aws_iot("help frobnicate", ends=2).stderr
    assert "aws-iot help rooms" in aws_iot("help rooms sub", ends=2).stderr


def test_the_topic_environment_names_the_variable_of_each_option(aws_iot: CommandLine) -> None:
    words = aws_iot("help environment").stdout.split()
    assert [option.envvar for _, option in OPTIONS if not option.hidden and option.envvar not in words] == []
    of_sub = aws_iot("help environment sub").stdout
    assert re.search(r"^  AWS_IOT_DURABLE +--durable$", of_sub, re.MULTILINE)
    assert "AWS_IOT_MESSAGE " not in of_sub


def test_the_topic_exit_codes_explains_each(aws_iot: CommandLine) -> None:
    assert re.search(r"^4 +Not signed in", aws_iot("help exit-codes").stdout, re.MULTILINE)


def formatted(text: str, width: int) -> str:
    formatter = HelpFormatter(width=width)
    formatter.write_text(text)
    return formatter.getvalue()


def test_a_long_example_continues_on_the_next_line_as_in_a_shell() -> None:
    text = "\b\nExample:\n  aws-iot sub -r 'two words' --format '{name} {text}' | jq"
    assert formatted(text, 40) == (
        "Example:\n  aws-iot sub -r 'two words' \\\n    --format '{name} {text}' | jq\n"
    )
    assert formatted(text, 80) == "Example:\n  aws-iot sub -r 'two words' --format '{name} {text}' | jq\n"


def test_an_example_may_be_split_in_the_source() -> None:
    assert formatted("\b\nExample:\n  aws-iot sub \\\n    -r ops", 80) == "Example:\n  aws-iot sub -r ops\n"


def test_items_and_terms_are_wrapped_beside_their_start() -> None:
    text = "\b\n  - An item that\n    is long.\n  - Two.\n  one    the first of three words\n  three  last"
    assert formatted(text, 24) == (
        "  - An item that is\n    long.\n  - Two.\n  one    the first of\n         three words\n  three  last\n"
    )


def test_words_are_not_broken_at_hyphens_or_when_they_are_long() -> None:
    assert formatted("one-two three-four aws-exports.json", 16) == "one-two\nthree-four\naws-exports.json\n"
    assert formatted("a " + "b" * 30, 16) == "a\n" + "b" * 30 + "\n"
