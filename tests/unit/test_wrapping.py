"""Lines on a terminal: whole words, and commands that can be copied."""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.cli.ui.width import display_width
from aws_iot.cli.ui.wrapping import CONTINUED, fill, fit, fold

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


def test_a_command_continues_as_a_posix_shell_reads_it() -> None:
    text, *command = fit(f"An admin can find out why: {COMMAND}", 60, posix=True)
    assert text == "An admin can find out why:"
    assert max(map(len, command)) <= 60
    assert shlex.split("\n".join(command).replace("\\\n", "")) == shlex.split(COMMAND)


def test_where_shells_differ_a_command_is_wrapped_like_text() -> None:
    lines = fit(f"An admin can find out why: {COMMAND}", 60, posix=False)
    assert [line for line in lines if line.endswith("\\")] == []
    assert " ".join(line.strip() for line in lines).endswith(COMMAND)


def test_text_after_a_command_is_text() -> None:
    line = "the profile 'team' is missing: `aws-iot config list` shows the profiles that exist"
    assert " ".join(fit(line, 40)) == line


def test_wide_characters_count_twice_and_need_no_blanks() -> None:
    assert fit("日本語日本語 日本語", 12) == ["日本語日本語", "日本語"]
    assert fit("日本語日本語日本語", 12) == ["日本語日本語", "  日本語"]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u3000", "\u2800", "\u200b"])
def test_nothing_that_an_error_quotes_begins_a_line_at_the_left_edge(blank: str) -> None:
    for length in range(60):
        quoted = "x" + blank * length + f"Sent{blank}to{blank}lobby."
        for line in (f"Error: no room '{quoted}'", f"Error: no room '{quoted}': aws-iot doctor -k 'my team'"):
            first, *rest = fit(line, 40, hang="  ")
            assert first.startswith("Error: no room")
            assert all(line.startswith("  ") for line in rest)


# -- what strangers send

FORGED = "2026-01-31 23:59:59 [lobby] bob~b0b00000: hi"
FIRST = "2026-01-31 23:59:59 [lobby] eve~e0e00000: "
BLANKS = [
    " ",
    "\u00a0",
    "\u3000",
    "\u2800",
    "\u3164",
    "\u115f",
    "\u200b",
    "\u2003",
    "\ufeff",
    "\U000e0020",
    "\u00ad",
]


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(
    "filler", [*BLANKS, "日", "x", "👩\u200d💻", "❤\ufe0f", "🇩🇪", "\u0378", "e\u0301", "\\t"]
)
def test_no_filler_puts_a_forged_line_at_the_left_edge(filler: str, columns: int) -> None:
    for length in range(10, columns):
        lines = fold(FIRST + filler * length + FORGED, columns).split("\n")
        assert lines[0].startswith(FIRST)
        assert all(line.startswith(CONTINUED) for line in lines[1:])
        assert max(map(display_width, lines)) <= columns


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
        | st.sampled_from(["a", *BLANKS, "日", "\u0301"])
    ),
    st.integers(20, 90),
)
def test_folded_lines_fit_and_have_the_whole_text(text: str, columns: int) -> None:
    first, *rest = fold(text, columns).split("\n")
    assert all(line.startswith(CONTINUED) for line in rest)
    assert first + "".join(line.removeprefix(CONTINUED) for line in rest) == text
    assert max(map(display_width, [first, *rest])) <= columns


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text("a b", max_size=300), st.integers(20, 90))
def test_colors_and_other_characters_do_not_change_where_ascii_is_folded(text: str, columns: int) -> None:
    folded = fold(text, columns)
    colored = "\x1b[2m" + text[:30] + "\x1b[0m" + text[30:]
    assert fold(colored, columns).replace("\x1b[2m", "").replace("\x1b[0m", "") == folded
    assert fold(text.replace("a", "é"), columns).replace("é", "a") == folded


@pytest.mark.parametrize("character", ["x", "日", "e\u0301"])
@pytest.mark.parametrize("indent", [10, 19, 20, 30])
def test_a_wide_indentation_still_leaves_room_for_a_character(character: str, indent: int) -> None:
    hang = " " * indent
    folded = fold("x y " + character * 40, 20, hang)
    assert folded.replace("\n" + hang, "") == "x y " + character * 40
    if indent == 10:
        assert max(map(display_width, folded.split("\n"))) <= 20


def test_text_is_folded_between_words_or_else_within_them() -> None:
    assert fold("one two three four five", 20, "| ") == "one two three four \n| five"
    assert fold("x" * 30, 20, "| ") == "x" * 20 + "\n| " + "x" * 10
    assert fold("日本語" * 5, 20, "| ") == "日本語日本語日本語日\n| 本語日本語"
    assert fold("a " + "e\u0301" * 19, 20, "| ") == "a " + "e\u0301" * 18 + "\n| e\u0301"
    assert fold("👍🏽" * 6, 22, "| ") == "👍🏽" * 5 + "\n| 👍🏽"


def test_the_lines_tabs_and_colors_of_a_template_count_as_a_terminal_shows_them() -> None:
    assert fold("one\n" + "x" * 21, 20, "| ") == "one\n" + "x" * 20 + "\n| x"
    assert fold("a\t" + "x" * 13, 20, "| ") == "a\t" + "x" * 12 + "\n| x"
    red = "\x1b[31m" + "x" * 20 + "\x1b[0m"
    assert fold(red, 20, "| ") == red
    linked = "\x1b]8;;https://example.com\x1b\\" + "x" * 20 + "\x1b]8;;\x07"
    assert fold(linked, 20, "| ") == linked
