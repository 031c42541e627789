"""What a line says about the message that another one refers to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_iot.cli.ui.formatting import MOST_HIGHLIGHTS, MOST_REACTIONS, entry_marks, highlighted, marks_of
from aws_iot.history import quotes
from aws_iot.history.quotes import Quotes
from aws_iot.messaging.message import Message
from tests.histories import ALICE, entries, message, save


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def known(path: Path) -> Iterator[Quotes]:
    with Quotes(path) as opened:
        yield opened


def marks(known: Quotes, one: Message) -> str:
    """The marks of a message that arrives now."""
    made = marks_of(one, known.of(one))
    known.note(one)
    return made.strip()


def test_the_message_that_is_meant_is_named(known: Quotes) -> None:
    day = 24 * 3600
    then = message("").received.astimezone()
    for one, expected in (
        (message("frist", "1"), ""),
        (message("yes", "2", sender=ALICE, re="1"), "(to bob~b0b00000 frist)"),
        (message("👍", "3", sender=ALICE, kind="react", re="2"), "(reaction to alice~4f9fa251 yes)"),
        (message("first", "4", kind="edit", re="1"), "(edit of frist)"),
        (message("too late", "5", re="1"), "(to bob~b0b00000 first)"),
        (message("forged", "6", sender=ALICE, kind="edit", re="1"), "(invalid edit)"),
        (message("", "7", sender=ALICE, kind="delete", re="1"), "(invalid deletion)"),
        (message("still", "8", re="1"), "(to bob~b0b00000 first)"),
        (
            message("", "9", kind="delete", re="1"),
            f"(deletion of {then:%H:%M:%S})",
        ),
        (message("gone", "10", re="1"), "(to bob~b0b00000 (deleted))"),
        (message("(deleted)", "10a"), ""),
        (message("not gone", "10b", re="10a"), '(to bob~b0b00000 "(deleted)")'),
        (
            message("", "11", at=2 * day, kind="delete", re="5"),
            f"(deletion of {then:%Y-%m-%d %H:%M:%S})",
        ),
        (message("elsewhere", "12", room="ops", re="2"), "(reply)"),
        (message("unknown", "13", re="99"), "(reply)"),
        (message("unknown", "14", kind="edit", re="99"), "(edit)"),
        (message("typing", "15", kind="presence"), ""),
        (message("other", "16", kind="poll", re="2"), "(to alice~4f9fa251 yes)"),
    ):
        assert marks(known, one) == expected, one.text


def test_messages_of_the_npm_tool_are_named_too(known: Quotes, path: Path) -> None:
    save(path, message("from npm"))
    from aws_iot.history.file.ids import derive, unpack

    ids = [
        unpack(derive("lobby", message("").sender, message(text).payload)) for text in ("from npm", "live")
    ]
    known.note(message("live"))
    assert [marks(known, message("yes", text, re=text)) for text in ids] == [
        '(to ~b0b00000 "from npm")',
        "(to ~b0b00000 live)",
    ]


def test_older_messages_come_from_the_history(known: Quotes, path: Path) -> None:
    assert marks(known, message("yes", "9", re="1")) == "(reply)"
    save(path, message("frist", "1"), message("first", "2", kind="edit", re="1"), message("oops", "3"))
    save(path, message("", "4", kind="delete", re="3"))
    assert marks(known, message("yes", "5", re="1")) == "(to bob~b0b00000 first)"
    assert marks(known, message("what?", "6", re="3")) == "(to bob~b0b00000 (deleted))"
    assert marks(known, message("first", "2", kind="edit", re="1")) == "(edit)"  # it is saved already
    for number in range(quotes.REMEMBERED + 1):
        known.note(message("more", f"more{number}", at=1))
    assert marks(known, message("no", "7", re="more0")) == "(reply)"
    assert marks(known, message("yes", "8", re="more9")) == "(to bob~b0b00000 more)"


def test_a_history_that_cannot_be_read_is_done_without(known: Quotes, path: Path) -> None:
    path.write_text("no database, but long enough to be taken for one: " + "x" * 1000)
    known.note(message("live", "1"))
    assert marks(known, message("yes", "2", re="9")) == "(reply)"
    assert marks(known, message("yes", "3", re="1")) == "(to bob~b0b00000 live)"


def test_one_person_cannot_fill_a_line_with_reactions(path: Path) -> None:
    different = [message(f"a{number}\n", f"r{number}", kind="react", re="1") for number in range(99)]
    agreed = [
        message("👍", f"y{who}", sender=who, kind="react", re="1") for who in (ALICE, message("").sender)
    ]
    save(path, message("hello", "1"), *different, *agreed)
    marks = entry_marks(entries(path)[0])
    assert marks.startswith(r' (👍 2; "a0\n" 1; ')
    assert marks.endswith(f"; and {100 - MOST_REACTIONS} other reactions)")
    assert marks.count(";") == MOST_REACTIONS


def test_what_is_highlighted_is_harmless_and_limited() -> None:
    text = "\x1b[31m" + "a" * (MOST_HIGHLIGHTS + 9)
    shown = highlighted(text, ((at, at + 1) for at in range(5, len(text))))
    assert shown.startswith("\\x1b[31m\x1b[1;31ma\x1b[0m")
    assert shown.count("\x1b[1;31m") == MOST_HIGHLIGHTS
    assert shown.endswith("a" * 9)
