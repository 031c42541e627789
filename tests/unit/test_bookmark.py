"""The bookmark: another run goes on where one has ended, and sends nothing twice."""

import json
from pathlib import Path

import pytest

from aws_iot.errors import LocalError
from aws_iot.publishing.checkpoint import MOST_REFUSED, Bookmark

LINES = [b"a", b"b", b"c", b"d", b"e"]


def read(bookmark: Bookmark, lines: list[bytes]) -> list[int]:
    """The numbers of those that are wanted."""
    found = [number for number, line in enumerate(lines, 1) if bookmark.wants(number, "lobby", line)]
    bookmark.check_end(len(lines))
    return found


def test_it_goes_on_after_what_is_settled(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        assert read(bookmark, LINES) == [1, 2, 3, 4, 5]
        bookmark.note(3)
    later = Bookmark(tmp_path / "note")
    with later.of("cd34", "lobby"):
        assert later.stream == "ab12"
        assert read(later, LINES) == [4, 5]
        assert [later.number(place) for place in (1, 2)] == [4, 5]
        later.note(2)
        assert later.finish()
    assert list(tmp_path.iterdir()) == []


def test_what_was_refused_is_tried_again_and_nothing_else(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        read(bookmark, LINES)
        bookmark.refuse(2)
        bookmark.refuse(4)
        bookmark.note(5)
        assert not bookmark.finish()
    later = Bookmark(tmp_path / "note")
    with later.of("cd34", "lobby"):
        assert read(later, [*LINES, b"f"]) == [2, 4, 6]
        assert [later.number(place) for place in (1, 2, 3)] == [2, 4, 6]
        later.refuse(4)
        later.note(3)
        assert not later.finish()
    last = Bookmark(tmp_path / "note")
    with last.of("ef56", "lobby"):
        assert read(last, [*LINES, b"f"]) == [4]
        last.note(1)
        assert last.finish()


def test_what_was_not_tried_again_before_it_was_broken_off_is_remembered(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        read(bookmark, LINES)
        for number in (1, 2, 3):
            bookmark.refuse(number)
        bookmark.note(5)
    again = Bookmark(tmp_path / "note")
    with again.of("cd34", "lobby"):
        read(again, LINES)
        again.note(1)
    last = Bookmark(tmp_path / "note")
    with last.of("ef56", "lobby"):
        assert read(last, LINES) == [2, 3]


def test_another_input_is_noticed_before_anything_of_it_is_sent_again(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        read(bookmark, LINES)
        bookmark.refuse(2)
        bookmark.note(4)
    for lines, told in (
        ([b"a", b"other", *LINES[2:]], "another input, up to line 2"),
        ([*LINES[:2], b"other", *LINES[3:]], "another input, up to line 4"),
        (LINES[:3], "ends at line 3, and 4 of it were sent"),
    ):
        later = Bookmark(tmp_path / "note")
        with later.of("cd34", "lobby"), pytest.raises(LocalError, match=told):
            read(later, lines)
    with pytest.raises(LocalError, match="not the room 'ops'"), Bookmark(tmp_path / "note").of("x", "ops"):
        pass


def test_a_message_that_could_not_be_sent_can_be_corrected_and_one_that_was_refused_cannot(
    tmp_path: Path,
) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        for number, line in enumerate([b"a", None, b"c", b"d"], 1):
            assert bookmark.wants(number, "lobby", line)
        bookmark.refuse(2)
        bookmark.refuse(3)
        bookmark.note(4)
    again = Bookmark(tmp_path / "note")
    with again.of("cd34", "lobby"):
        assert read(again, [b"a", b"b, corrected", b"c", b"d", b"e"]) == [2, 3, 5]
        again.refuse(5)
        again.note(3)
    corrected = [b"a", b"b, corrected", b"c", b"d", b"e"]
    other = Bookmark(tmp_path / "note")
    with other.of("cd34", "lobby"), pytest.raises(LocalError, match="another input, up to line 5"):
        read(other, [*corrected[:2], b"c, corrected", *corrected[3:]])
    last = Bookmark(tmp_path / "note")
    with last.of("cd34", "lobby"):
        assert read(last, [*corrected, b"f"]) == [5, 6]


def test_one_program_at_a_time_goes_on(tmp_path: Path) -> None:
    with (
        Bookmark(tmp_path / "note").of("ab12", "lobby"),
        pytest.raises(LocalError, match="another program"),
        Bookmark(tmp_path / "note").of("cd34", "lobby"),
    ):
        pass
    with pytest.raises(KeyboardInterrupt), Bookmark(tmp_path / "note").of("cd34", "lobby"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_note_without_refusals_is_one(tmp_path: Path) -> None:
    (tmp_path / "note").write_text('{"stream": "x", "settled": 1, "room": null, "fingerprint": 3}')
    note = Bookmark(tmp_path / "note").load()
    assert note
    assert note.settled == 1


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        '{"stream": "x", "settled": 1}',
        '{"stream": 1, "settled": 2, "room": null, "fingerprint": 3}',
        '{"stream": "x", "settled": 2, "room": null, "fingerprint": 3, "refused": [1]}',
        '{"stream": "x", "settled": 2, "room": null, "fingerprint": 3, "refused": [[1, "x"]]}',
        "\x00",
    ],
)
def test_a_file_that_is_no_bookmark_is_left_alone(tmp_path: Path, data: str) -> None:
    (tmp_path / "note").write_text(data)
    with pytest.raises(LocalError, match="note"):
        Bookmark(tmp_path / "note").load()
    assert (tmp_path / "note").read_text() == data


def test_what_is_noted_can_be_read_by_people(tmp_path: Path) -> None:
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", None):
        read(bookmark, LINES)
        bookmark.refuse(1)
        bookmark.note(2)
    noted = json.loads((tmp_path / "note").read_text())
    assert (noted["settled"], [number for number, _ in noted["refused"]]) == (2, [1])


def test_what_is_refused_beyond_what_is_settled_is_read_again(tmp_path: Path) -> None:
    lines = [*LINES, b"f", b"g", b"h"]
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        read(bookmark, lines)
        bookmark.refuse(7)
        bookmark.note(5)
    second = Bookmark(tmp_path / "note")
    with second.of("cd34", "lobby"):
        assert read(second, lines) == [6, 7, 8]
        assert [second.number(place) for place in (1, 2, 3)] == [6, 7, 8]
        second.refuse(7)
        second.note(3)
        assert not second.finish()
    third = Bookmark(tmp_path / "note")
    with third.of("ef56", "lobby"):
        assert read(third, lines) == [7]


def test_more_refusals_than_are_remembered_are_read_again(tmp_path: Path) -> None:
    lines = [b"%d" % number for number in range(MOST_REFUSED + 5)]
    bookmark = Bookmark(tmp_path / "note")
    with bookmark.of("ab12", "lobby"):
        for number, line in enumerate(lines, 1):
            bookmark.wants(number, "lobby", line)
            bookmark.refuse(number)
            if number % 100 == 0:
                bookmark.note(number)
        bookmark.note(len(lines))
        assert not bookmark.finish()
    second = Bookmark(tmp_path / "note")
    with second.of("cd34", "lobby"):
        assert read(second, lines) == [*range(1, len(lines) + 1)]
        second.refuse(len(lines))
        second.note(len(lines))
        assert not second.finish()
    third = Bookmark(tmp_path / "note")
    with third.of("ef56", "lobby"):
        assert read(third, lines) == [len(lines)]
