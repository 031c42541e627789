"""Typical mistakes on the command line: each gets a line that works when it is typed."""

import shlex
from contextlib import suppress

import click
import pytest

from aws_iot.cli.mistakes.synonyms import ARGUMENTS, SYNONYMS
from aws_iot.cli.root import root
from tests.conftest import CommandLine
from tests.fakes import FakeApp
from tests.project.commands import COMMANDS

IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"

MISTAKES = {
    "subscribe": "sub",
    "subscribe -r lobby": "sub -r lobby",
    "subscrbe": "sub",
    "listen lobby": "sub -r lobby",
    "join lobby": "sub -r lobby",
    "sub lobby": "sub -r lobby",
    "sub lobby ops": "sub -r lobby -r ops",
    "sub lobby --json": "sub --json -r lobby",
    "send": "pub -r ROOM -m TEXT",
    "send -r lobby -m hello": "pub -r lobby -m hello",
    "send lobby hello": "pub -r lobby -m hello",
    "pub hello": "pub -r ROOM -m hello",
    "pub lobby hello": "pub -r lobby -m hello",
    "pub lobby hello world": "pub -r lobby -m 'hello world'",
    "pub -r lobby hello": "pub -r lobby -m hello",
    "pub -m hello lobby": "pub -m hello -r lobby",
    "pub -r lobby -m hello world": "pub -r lobby -m 'hello world'",
    "pub -r": "pub -r ROOM",
    "pub --edit": "pub --edit ID",
    "pub --edit last better text": "pub --edit last -m 'better text'",
    "pub --reply-to last -m yes indeed": "pub --reply-to last -m 'yes indeed'",
    "pub --react 👍": "pub --react '👍' ID",
    "pub --react": "pub --react EMOJI ID",
    "sub -r": "sub -r ROOM",
    "sub -r -k bob": "sub -r ROOM -k bob",
    "pub -m -r lobby": "pub -m TEXT -r lobby",
    "pup -r lobby -m hello": "pub -r lobby -m hello",
    "-k team sub -r lobby": "sub -k team -r lobby",
    "-k local sub": "sub -k local",
    "--profile team subscribe": "sub --profile team",
    "--profile=team sub": "sub --profile=team",
    "config -k team show": "config show -k team",
    "config team": "config show team",
    "config lst": "config list",
    "ls": "config list",
    "list": "config list",
    "register": "signup -e EMAIL",
    "signup alice": "signup -u alice -e EMAIL",
    "signup -u alice": "signup -u alice -e EMAIL",
    "confirm 123456": "confirm -c 123456",
    "sign-in": "login",
    "signin -u alice": "login -u alice",
    "login alice": "login -u alice",
    "approve": "admin accept",
    f"approve {IDENTITY}": f"admin accept {IDENTITY}",
    f"accept {IDENTITY} -k team": f"admin accept {IDENTITY} -k team",
    "admin approve": "admin accept",
    f"admin -k team accept {IDENTITY}": f"admin accept -k team {IDENTITY}",
    "backend delete": "backend destroy",
    "version": "--version",
    "-v": "--version",
    "-v sub": "sub -v",
    "sub --rom lobby": "sub --room lobby",
    "sub --topic=lobby": "sub --room=lobby",
    "pub --channel lobby --text hello": "pub --room lobby --message hello",
    "login --username alice": "login --user alice",
    "init team": "init -k team",
    "local alice bob": "local --member alice --member bob",
    "local --member alice bob": "local --member alice --member bob",
    "backend deploy --nmae ops": "backend deploy --name ops",
}


@pytest.mark.parametrize(("typed", "meant"), MISTAKES.items())
def test_the_line_that_was_meant_is_suggested(aws_iot: CommandLine, typed: str, meant: str) -> None:
    first, suggestion = aws_iot(typed, ends=2).stderr.splitlines()
    assert first.startswith("Error: ")
    assert suggestion == f"Did you mean: aws-iot {meant}"
    parse(meant)


@pytest.mark.parametrize("typed", ["local stop", "local -k test stop"])
def test_what_is_no_command_is_explained(aws_iot: CommandLine, typed: str) -> None:
    told = aws_iot(typed, ends=2).stderr.splitlines()
    assert told == [
        "Error: Unexpected argument: stop",
        "To stop the local stack, press Ctrl-C in its terminal.",
    ]


@pytest.mark.parametrize(
    "typed", ["frobnicate", "config list team", "sub --no-such-option", "login alice bob", "password alice"]
)
def test_without_a_good_guess_it_refers_to_help(aws_iot: CommandLine, typed: str) -> None:
    assert "Did you mean: aws-iot" not in (told := aws_iot(typed, ends=2).stderr)
    assert told.splitlines()[-1].endswith(" --help")


@pytest.mark.parametrize("typed", ["admin revoke alice -k team --yes", "whoami --yes"])
def test_dashes_do_not_make_options_similar(aws_iot: CommandLine, typed: str) -> None:
    first, advice = aws_iot(typed, ends=2).stderr.splitlines()
    assert first == "Error: No such option '--yes'."
    assert advice.startswith("For help: ")


def test_a_misspelled_option_is_named_even_if_the_line_has_another_mistake(aws_iot: CommandLine) -> None:
    assert "Did you mean '--room'?" in aws_iot("sub --rom lobby --no-such-option", ends=2).stderr


@pytest.mark.parametrize(
    "typed",
    [
        "pub hello -p geheim",
        "pub hello --password geheim",
        "pub hello --pwd=geheim",
        "pub hello -pgeheim",
        "-p geheim sub",
        "login -qp geheim alice",
        "login -qpgeheim alice",
        "login -p geheim --password=other alice",
        "login -p heim -pgeheim alice",
    ],
)
def test_a_suggestion_shows_no_password(aws_iot: CommandLine, typed: str) -> None:
    told = aws_iot(typed, ends=2).stderr
    assert "Did you mean: aws-iot" in told
    assert "geheim" not in told
    assert "PASS" in told


def test_control_characters_in_what_was_typed_are_made_visible(aws_iot: CommandLine) -> None:
    told = aws_iot("sub '\x1b[2J'", ends=2).stderr
    assert "\x1b" not in told
    assert "\\x1b[2J" in told


# A command with arguments may take `help` for one.
@pytest.mark.parametrize(
    "path",
    [p for p, c in COMMANDS.items() if p and not any(isinstance(one, click.Argument) for one in c.params)],
)
def test_help_after_a_command_prints_its_help(aws_iot: CommandLine, path: str) -> None:
    assert aws_iot(f"{path} help").stdout.startswith(f"Usage: aws-iot {path}")


def test_help_instead_of_a_required_argument_prints_help(aws_iot: CommandLine) -> None:
    assert aws_iot("completion help").stdout.startswith("Usage: aws-iot completion")


@pytest.mark.parametrize("typed", ["-V", "--version"])
def test_the_version_has_a_short_option(aws_iot: CommandLine, typed: str) -> None:
    assert aws_iot(typed).stdout.startswith("aws-iot ")


def test_without_a_profile_init_is_suggested(aws_iot: CommandLine, app: FakeApp) -> None:
    assert "aws-iot init" not in aws_iot("", ends=2).stderr.splitlines()[-1]
    app.config.profiles.remove("default")
    assert aws_iot("", ends=2).stderr.splitlines()[-1].endswith(": aws-iot init")


@pytest.mark.parametrize(("typed", "meant"), SYNONYMS.items())
def test_a_synonym_stands_for_a_command_that_exists(typed: str, meant: str) -> None:
    assert typed not in COMMANDS, "the command exists, so the synonym is never used"
    assert meant in COMMANDS or meant == "--version"


@pytest.mark.parametrize(("path", "names"), ARGUMENTS.items())
def test_the_options_for_stray_words_exist(path: str, names: tuple[str, ...]) -> None:
    of_command = {name for param in COMMANDS[path].params for name in param.opts}
    assert {*names} <= of_command


def parse(line: str) -> None:
    """Fails unless Click accepts the line, once a person has replaced what is in capitals."""
    words = shlex.split(line.replace("IDENTITY", IDENTITY))
    command: click.Command = root
    context = click.Context(root, info_name="aws-iot")
    while isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found
        command, words = found, words[1:]
    with suppress(click.exceptions.Exit):  # of `--version`
        command.make_context("aws-iot", words, parent=context)
