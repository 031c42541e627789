"""Lines on a terminal: whole words, and commands that can be copied."""

import shlex
import sys

import pytest

from aws_iot.cli.ui.wrapping import fill, fit

COMMAND = "aws-iot policy -r doctor --identity us-east-1:4f9fa251-0ed5-4578-add0-985024739222 -k 'my team'"


def test_a_short_line_stays_as_it_is() -> None:
    assert fit("connected", 80) == ["connected"]


def test_words_are_not_broken() -> None:
    assert fit("the file aws-exports.json is damaged", 20) == ["the file", "aws-exports.json is", "damaged"]
    assert fill("one two", 5, "> ", "  ") == ["> one", "  two"]


def test_a_long_word_moves_to_where_it_fits() -> None:
    assert fill("identity-of-somebody", 24, "name  ", " " * 6) == ["name", "  identity-of-somebody"]
    assert fill("of identity-of-somebody", 24, " " * 6) == ["      of", "  identity-of-somebody"]
    assert fill("of identity-of-somebody", 20, " " * 6) == ["      of", "identity-of-somebody"]


def test_an_option_stays_with_its_value() -> None:
    line = "or choose an AWS profile with --aws-profile NAME."
    assert fit(line, 45) == ["or choose an AWS profile with", "--aws-profile NAME."]


def test_text_continues_in_its_column() -> None:
    assert fit("12:00  created the role", 16, hang=" " * 7) == ["12:00  created", "       the role"]


def test_an_indented_line_continues_deeper() -> None:
    assert fit("  identityId: 'us-east-1:4f9fa251'", 30) == ["  identityId:", "    'us-east-1:4f9fa251'"]


@pytest.mark.skipif(sys.platform == "win32", reason="its shells continue lines differently")
def test_a_command_continues_as_a_shell_reads_it() -> None:
    text, *command = fit(f"An admin can find out why: {COMMAND}", 60)
    assert text == "An admin can find out why:"
    assert max(map(len, command)) <= 60
    assert shlex.split("\n".join(command).replace("\\\n", "")) == shlex.split(COMMAND)


def test_text_after_a_command_is_text() -> None:
    line = "the profile 'team' is missing: `aws-iot config list` shows the profiles that exist"
    assert " ".join(fit(line, 40)) == line
