"""How the chat breaks text into lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_iot.chat.entry.keys import UnknownCommand, parse
from aws_iot.chat.text.people import host_of, links
from aws_iot.chat.text.pieces import pieces_of
from aws_iot.chat.text.steady import steady, width_of, wrap

WORDS = st.text("ab  漢é\u0301字-", max_size=40)


@given(WORDS, st.integers(min_value=2, max_value=12))
def test_lines_fit_and_lose_nothing_but_blanks(text: str, columns: int) -> None:
    shown = steady(text)
    lines = wrap(shown, columns)
    assert all(width_of(shown[start:end]) <= columns for start, end in lines)
    at = 0
    for start, end in lines:
        assert shown[at:start] in ("", " ")
        at = end
    assert not shown[at:].strip(" ")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("short", ["short"]),
        ("one two three", ["one two", "three"]),
        ("    indented code", ["    inde", "nted", "code"]),
        ("averylongword", ["averylon", "gword"]),
        ("漢字漢字漢字", ["漢字漢字", "漢字"]),
        ("漢字 漢字 漢字", ["漢字", "漢字", "漢字"]),
        ("1234567 ", ["1234567 "]),
        ("12345678 ", ["12345678"]),
    ],
)
def test_a_line_is_broken_at_a_blank_if_possible(text: str, lines: list[str]) -> None:
    assert [text[start:end] for start, end in wrap(text, 8)] == lines


def test_a_link_leads_to_a_host_that_can_be_told() -> None:
    text = r"(https://a.example/x). https://[ https:// https://good.example\@evil.example http://me@b.example:8080/y"
    found = links(text)
    assert found == ["https://a.example/x", "https://good.example", "http://me@b.example:8080/y"]
    assert [*map(host_of, found)] == ["a.example", "good.example", "b.example"]


def test_a_link_is_whole_or_none() -> None:
    text = "<https://a.example/straße?q=1>, HTTPS://B.example/x, http://münchen.example, http://a.example\u202e/x"
    assert links(text) == ["https://a.example/straße?q=1", "HTTPS://B.example/x"]


def test_a_link_keeps_a_parenthesis_that_belongs_to_it() -> None:
    text = "(see https://a.example/x_(y)) https://b.example/(z), (https://c.example/w)."
    assert links(text) == ["https://a.example/x_(y)", "https://b.example/(z)", "https://c.example/w"]


def test_a_path_is_a_message_but_two_commands_on_a_line_are_none() -> None:
    assert parse("/etc/hosts is a file") is None
    with pytest.raises(UnknownCommand, match="There is no command /who/alias"):
        parse("/who/alias bob hi")


def test_a_command_of_another_chat_program_is_understood_as_a_question() -> None:
    for word, meant in (("part", "leave"), ("LIST", "rooms"), ("names", "who"), ("jion", "join")):
        with pytest.raises(UnknownCommand, match=f"There is no command /{word}. Did you mean /{meant}\\?"):
            parse(f"/{word}")


def test_a_link_that_is_broken_over_lines_is_the_whole_link_in_each() -> None:
    link = "https://a.example/a-long-path-that-goes-on"
    pieces = pieces_of(f"see {link} and https://b.example", 20)
    assert [piece.text for piece in pieces] == [
        "see", "https://a.example/a-", "long-path-that-goes-", "on and", "https://b.example",
    ]  # fmt: skip
    assert [[(one.text[start:end], found) for start, end, found in one.links] for one in pieces] == [
        [],
        [("https://a.example/a-", link)],
        [("long-path-that-goes-", link)],
        [("on", link)],
        [("https://b.example", "https://b.example")],
    ]
