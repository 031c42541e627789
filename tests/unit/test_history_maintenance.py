"""Deleting from a history, limiting it, checking and repairing it, and moving it elsewhere."""

import csv
import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from aws_iot.errors import LocalError
from aws_iot.history.file.intake import Intake
from aws_iot.history.file.record import to_record
from aws_iot.history.file.schema import HistoryBusy, connect
from aws_iot.history.saving.recorder import Recorder
from aws_iot.history.search import parse_search, search
from aws_iot.history.store import Filter, History
from aws_iot.history.upkeep.maintenance import Stats, apply_limits, compact, delete, limit, stats
from aws_iot.history.upkeep.repair import check, repair
from aws_iot.history.upkeep.transfer import import_lines, to_csv, to_json_lines, to_markdown
from tests.histories import ALICE, BOB, NOW, entries, fail, message, recorder, save, texts
from tests.unit.test_profile import PROFILE
from tests.waiting import DEADLINE_SECONDS

CONVERSATION = [
    message("hello", "1", at=0),
    message("hi", "2", sender=ALICE, at=1, re="1"),
    message("👍", "3", sender=ALICE, at=2, kind="react", re="1"),
    message("hello all", "4", at=3, kind="edit", re="1", sent=3),
    message("elsewhere", "5", room="ops", at=4),
    message("gone", "6", at=5),
    message("(message deleted)", "7", at=6, kind="delete", re="6"),
    message("=from *npm*\n|", at=7),
    message("ok", at=8),
    message("ok", at=8.5),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(tmp_path / "file", *CONVERSATION)
    return tmp_path / "file"


def found(history: History, words: str) -> list[str]:
    return [entry.id for entry in search(history, parse_search(words, NOW), 100)]


@pytest.mark.parametrize(
    ("wanted", "deleted", "left"),
    [
        (Filter(), 7, []),
        (Filter(["ops"]), 1, ["hello all", "hi", "", "=from *npm*\n|", "ok", "ok"]),
        (Filter(senders=["bob"]), 3, ["hi", "=from *npm*\n|", "ok", "ok"]),
        (Filter(until=NOW + timedelta(seconds=5)), 3, ["", "=from *npm*\n|", "ok", "ok"]),
        (Filter(["unknown"]), 0, ["hello all", "hi", "elsewhere", "", "=from *npm*\n|", "ok", "ok"]),
    ],
)
def test_what_is_deleted_is_neither_read_nor_found_nor_counted(
    path: Path, wanted: Filter, deleted: int, left: list[str]
) -> None:
    with History(path) as history:
        assert delete(history, wanted) == deleted
        assert texts(history.all(Filter())) == left
        assert sum(room.messages for room in history.rooms()) == len(left)
        assert [bool(found(history, word)) for word in ("all", "elsewhere")] == [
            "hello all" in left,
            "elsewhere" in left,
        ]
    assert check(path) == []


def test_deleting_a_message_deletes_its_edits_and_deleting_an_edit_shows_the_message_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    save(path, message("edited early", "2", at=0, kind="edit", re="1"), message("original", "1", at=9))
    save(path, message("original", "3", at=10), message("edited late", "4", at=20, kind="edit", re="3"))
    with History(path) as history:
        assert delete(history, Filter(until=NOW + timedelta(seconds=1))) == 0
        assert texts(history.all(Filter())) == ["original", "edited late"]
        assert (found(history, "original"), found(history, "early")) == (["1"], [])
        assert delete(history, Filter(until=NOW + timedelta(seconds=11))) == 2
    content = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"edited" not in content
    assert b"original" not in content
    assert check(path) == []


def test_a_limit_of_age_deletes_the_older_messages(path: Path) -> None:
    with History(path) as history:
        assert limit(history, NOW + timedelta(days=1), timedelta(days=1) - timedelta(seconds=4)) == 2
        assert texts(history.all(Filter()))[0] == "elsewhere"


def test_the_limits_of_a_profile_delete_a_part_at_a_time(path: Path) -> None:
    with History(path) as history:
        assert apply_limits(history, PROFILE._replace(history_days=1), NOW) == 0
        late = NOW + timedelta(days=2)
        assert limit(history, late, timedelta(days=1), most=2) == 2
        assert texts(history.all(Filter()))[0] == "elsewhere"
        assert apply_limits(history, PROFILE, late) == 0
        assert apply_limits(history, PROFILE._replace(history_megabytes=1), late) == 0
        assert apply_limits(history, PROFILE._replace(history_days=1), late) == 5
        assert texts(history.all(Filter())) == []
    assert check(path) == []


def test_a_program_that_saves_deletes_what_is_too_old_when_it_has_time(path: Path) -> None:
    done = threading.Event()

    def tidy() -> None:
        with History(path) as history:
            apply_limits(history, PROFILE._replace(history_days=1), NOW + timedelta(days=2))
        done.set()

    with Recorder(path, ALICE, fail, lambda: NOW, tidy=tidy) as recording:
        recording.add(message("new", "9", at=3 * 24 * 3600))
        recording.flush()
        assert done.wait(DEADLINE_SECONDS)
    assert texts(entries(path)) == ["new"]


def test_a_limit_of_size_deletes_the_oldest_messages(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with recorder(path) as recording:
        for number in range(3_000):
            recording.add(message(f"{number} " + "word " * 50, str(number), at=number))
        recording.flush()
    with History(path) as history:
        before = stats(history)
        size = before.bytes // 2
        deleted = limit(history, NOW, size=size)
        after = stats(history)
        assert after.messages == before.messages - deleted > 500
        assert after.bytes <= size
        assert history.last(Filter(), 1)[0].id == "2999"
    assert path.stat().st_size <= size + 4096
    assert check(path) == []


def test_stats_count_messages_people_and_bytes(path: Path) -> None:
    with History(path) as history:
        last = NOW + timedelta(seconds=8.5)
        assert stats(history) == Stats(7, 6, 2, 2, NOW, last, path.stat().st_size)
        compact(history)
        assert len(found(history, "ok")) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda database: database.execute("UPDATE room SET unread = 99"),
        lambda database: database.execute("DELETE FROM words_data WHERE id > 10"),
        lambda database: database.execute("DROP INDEX message_id"),
    ],
    ids=["counts", "search index", "index"],
)
def test_a_repair_brings_back_what_follows_from_the_messages(
    path: Path, damage: Callable[[sqlite3.Connection], object]
) -> None:
    before = entries(path)
    with closing(connect(path)) as database:
        damage(database)
    repaired = repair(path, NOW)
    assert repaired.messages == 7
    assert repaired.aside.exists()
    assert check(path) == []
    assert entries(path) == before
    save(path, *CONVERSATION)
    assert entries(path) == before


def test_a_repair_saves_what_is_outside_the_damaged_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with recorder(path) as recording:
        for number in range(2_000):
            recording.add(message(f"number {number} " + "word " * 20, str(number), at=number * 600))
        recording.flush()
    entries(path)
    content = bytearray(path.read_bytes())
    page = content.index(b"number 900 ") // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    problems = check(path)
    assert problems
    assert [line for line in problems if "\n" in line or "***" in line] == []
    saved = repair(path, NOW).messages
    assert 1_000 < saved < 2_000
    assert check(path) == []
    assert len(entries(path)) == saved


def test_a_file_that_is_no_database_is_set_aside(path: Path) -> None:
    path.write_bytes(b"hello" * 1000)
    assert check(path) == ["file is not a database"]
    assert repair(path, NOW).messages == 0
    save(path, message("new", "1"))
    assert texts(entries(path)) == ["new"]


def test_a_program_that_saves_while_the_file_is_repaired_goes_on_in_the_new_one(path: Path) -> None:
    with recorder(path) as recording:
        recording.add(message("before", "10", at=20))
        recording.flush()
        repair(path, NOW)
        recording.add(message("after", "11", at=21))
        recording.flush()
    assert texts(entries(path))[-2:] == ["before", "after"]


def test_what_waits_while_the_file_is_repaired_is_saved_in_the_new_one(path: Path) -> None:
    with closing(connect(path)) as waiting:
        repair(path, NOW)
        with pytest.raises(HistoryBusy, match="replaced"):
            Intake(waiting).add([to_record(message("late", "10"))], 1)
    assert check(path) == []


def test_a_repair_waits_for_a_program_that_writes(path: Path) -> None:
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryBusy):
            repair(path, NOW, 0)
        other.execute("ROLLBACK")
    assert [one.name for one in path.parent.iterdir() if "damaged" in one.name or ".new" in one.name] == []


def test_importing_an_export_changes_nothing(path: Path) -> None:
    before = path.read_bytes(), entries(path)
    with History(path) as history:
        lines = list(to_json_lines(history, Filter()))
    assert import_lines(path, ALICE, lines) == (10, 0)
    assert import_lines(path, ALICE, lines) == (10, 0)
    assert entries(path) == before[1]
    assert check(path) == []


def test_an_export_makes_the_same_history_elsewhere(path: Path, tmp_path: Path) -> None:
    with History(path) as history:
        lines = list(to_json_lines(history, Filter()))
        rooms = history.rooms()
    copy = tmp_path / "copy"
    assert import_lines(copy, ALICE, [*lines[5:], "\n", *lines[:5]]) == (10, 10)
    assert entries(copy) == entries(path)
    with History(copy) as history:
        assert history.rooms() == rooms
        assert list(to_json_lines(history, Filter())) == lines


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="line 2 cannot be imported: this is not JSON"):
        import_lines(tmp_path / "file", ALICE, ["", "{"])


def test_csv_shows_what_is_visible_and_no_spreadsheet_runs_it(path: Path) -> None:
    with History(path) as history:
        found = list(csv.DictReader(to_csv(history, Filter())))
    assert len(found) == 7
    assert found[0] == {
        "received": "2026-01-31T12:00:00.000Z",
        "room": "lobby",
        "sender": BOB,
        "name": "bob",
        "text": "hello all",
        "id": "1",
        "sent": "",
        "reply_to": "",
        "edited": "yes",
        "deleted": "",
        "reactions": "👍×1",
    }
    assert (found[3]["deleted"], found[3]["text"]) == ("yes", "")
    assert found[4]["text"].startswith("'=from")


def test_markdown_shows_what_is_visible_and_no_message_formats_it(path: Path) -> None:
    with History(path) as history:
        lines = list(to_markdown(history, Filter()))
    shown = "\n".join(lines)
    assert lines[0].startswith("## lobby, Saturday, 31 January 2026")
    assert r"**bob**\~b0b00000: hello all *(edited)* 👍×1" in shown
    assert r"**alice**\~4f9fa251 (to **bob**\~b0b00000: hello all): hi" in shown
    assert r"**bob**\~b0b00000: *deleted*" in shown
    assert r"\=from \*npm\*  " in shown
    assert json.dumps(shown)


def test_no_message_imitates_the_lines_of_markdown(tmp_path: Path) -> None:
    path, hostile = tmp_path / "file", "a\n- 12:00 **carol**: x\r\x1b[31m\u202e"
    save(
        path,
        message("1. one\n    code\n=====\n\n+ item\n2) two", "1"),
        message(hostile, "2", room=hostile)._replace(name=hostile),
        message(hostile, "3", room=hostile, kind="react", re="2"),
        message("(answer)", "4", room=hostile, re="2"),
    )
    with History(path) as history:
        lines = "\n".join(to_markdown(history, Filter())).split("\n")
    assert lines[2:8] == [
        r"- 12:00 **bob**\~b0b00000: 1\. one  ",
        "  code  ",
        r"  \=====  ",
        "    ",
        r"  \+ item  ",
        r"  2\) two",
    ]
    harmless = r"a\\n\- 12:00 \*\*carol\*\*: x\\r\\x1b\[31m\\u202e"
    assert lines[9] == f"## {harmless}, Saturday, 31 January 2026"
    assert lines[11] == rf"- 12:00 **{harmless}**\~b0b00000: a  "
    assert lines[12] == rf"  \- 12:00 \*\*carol\*\*: x\\r\\x1b\[31m\\u202e {harmless}×1"
    assert lines[13].startswith(rf"- 12:00 **bob**\~b0b00000 (to **{harmless}**\~b0b00000: a ")
