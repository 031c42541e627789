"""The history: what is saved, once, and what is read of it."""

import sqlite3
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree
from threading import Thread
from typing import ClassVar

import pytest

from aws_iot.errors import LocalError
from aws_iot.files import is_locked
from aws_iot.history.file.intake import Intake
from aws_iot.history.file.intake import sort_in as sorted_in
from aws_iot.history.file.journal import Journal, journals
from aws_iot.history.file.record import to_entry, to_record
from aws_iot.history.file.schema import (
    MIGRATIONS,
    HistoryDamaged,
    HistoryTooNew,
    begin_anew,
    connect,
    set_aside,
)
from aws_iot.history.saving.owners import history_file
from aws_iot.history.saving.recorder import Recorder
from aws_iot.history.store import Ambiguous, Filter, History, UnknownMessage
from aws_iot.messaging.message import from_wire
from tests.histories import ALICE, BOB, NOW, entries, message, recorder, save, texts
from tests.waiting import wait_until

if sys.platform == "win32":
    from pathlib import WindowsPath as SystemPath
else:
    from pathlib import PosixPath as SystemPath


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return history_file(tmp_path / "history" / "default", ALICE)


def test_a_message_comes_back_as_it_was(path: Path) -> None:
    sent = NOW - timedelta(seconds=1)
    known = [("id", "a" * 32), ("sent", sent.isoformat()), ("name", "bob"), ("kind", "presence"), ("re", "x")]
    saved = [
        from_wire("ops/db", BOB, b'{"msg":"hi \xe2\x98\x83"}', known, NOW, 0, True),
        from_wire("lobby", "device-7", b"\xff\0raw", [], NOW),
        from_wire("lobby", "device-7", b'{"msg":"\\ud800"}', [], NOW),
        from_wire("lobby", "device-7", b'{ "msg": 1.50 }', [("id", "an ID")], NOW),
        from_wire("lobby", "device-7", b"", [("id", "~0123456789abcdef")], NOW),
    ]
    save(path, *saved)
    assert [entry.message for entry in entries(path)] == saved


def test_only_its_owner_can_read_the_file_and_what_belongs_to_it(path: Path) -> None:
    save(path, message("hello"))
    path.chmod(0o644)  # another program did that
    with recorder(path) as recording, History(path):
        recording.add(message("hello again"))
        recording.flush()
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert {f"{path.name}-wal", f"{path.name}-shm", path.name} <= set(modes)
    assert [name for name in modes if name.endswith(".journal")]
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_history_that_was_never_written_is_empty_and_stays_so(path: Path) -> None:
    assert entries(path) == []
    assert not path.exists()


def test_messages_are_in_the_order_of_arrival_whatever_the_order_of_saving(path: Path) -> None:
    save(path, message("3", "c", at=3), message("1", "a", at=1), message("2", "b", at=2))
    save(path, message("between", "d", at=1.5), message("1 too", "e", at=1))
    assert texts(entries(path)) == ["1", "1 too", "between", "2", "3"]


def test_more_messages_than_fit_into_a_millisecond_are_all_kept(path: Path) -> None:
    with recorder(path) as recording:
        for number in range(5_000):
            recording.add(message(str(number), str(number)))
        recording.flush()
    assert texts(entries(path)) == [str(number) for number in range(5_000)]


def test_a_message_that_two_programs_receive_is_saved_once(path: Path) -> None:
    both = [message("hello", "1"), message("from npm", at=1)]
    save(path, *both)
    save(path, *(one._replace(received=one.received + timedelta(seconds=2)) for one in both))
    assert texts(entries(path)) == ["hello", "from npm"]


def test_ids_of_two_senders_are_not_one(path: Path) -> None:
    save(path, message("hello", "1"), message("not yours", "1", sender=ALICE))
    assert texts(entries(path)) == ["hello", "not yours"]


def test_a_person_without_ids_may_repeat_a_message(path: Path) -> None:
    twice = [message("ok", at=0), message("ok", at=1)]
    save(path, *twice)
    save(path, *twice)
    assert texts(entries(path)) == ["ok", "ok"]
    save(path, *twice, message("ok", at=2))
    assert texts(entries(path)) == ["ok", "ok", "ok"]


def test_a_retained_message_without_id_is_saved_once_however_often_it_arrives(path: Path) -> None:
    for day in range(3):
        save(path, message("news", at=day * 86_400, retained=True))
    assert texts(entries(path)) == ["news"]


def test_filters_choose_rooms_senders_and_times(path: Path) -> None:
    save(
        path,
        message("a", "a", room="ops", at=1),
        message("b", "b", room="ops/db", at=2),
        message("c", "c", sender=ALICE, at=3),
        message("d", "d", room="ops", sender=ALICE, at=4),
    )
    with History(path) as history:

        def found(*rooms: str, **more: object) -> list[str]:
            return texts(history.all(Filter(rooms, **more)))  # type: ignore[arg-type]

        assert found("ops") == ["a", "d"]
        assert found("ops/#") == ["a", "b", "d"]
        assert found("+", "ops/+") == ["a", "b", "c", "d"]
        assert found("unknown") == []
        assert found(senders=["Alice"]) == found(senders=["4f9f"]) == found(senders=[ALICE]) == ["c", "d"]
        assert found(senders=["alice", "bob"]) == ["a", "b", "c", "d"]
        assert found(senders=["nobody"]) == []
        assert found(since=NOW + timedelta(seconds=2), until=NOW + timedelta(seconds=4)) == ["b", "c"]
        assert texts(history.last(Filter(("ops", "lobby")), 2)) == ["c", "d"]
        assert texts(history.first(Filter(), 2)) == ["a", "b"]
        [a] = history.first(Filter(), 1)
        assert [texts(some) for some in history.around(a.at, 5)] == [[], ["d"]]


def test_ids_may_be_shortened_and_messages_without_one_have_one_too(path: Path) -> None:
    save(
        path,
        message("1", "abcd" * 8, at=1),
        message("2", "abce" * 8, at=2),
        message("3", "own id", at=3),
        message("ok", at=4),
        message("ok", at=5),
        message("mine", "f" * 32, sender=ALICE, room="ops", at=6),
        message("👍", "e" * 32, sender=ALICE, at=7, kind="react", re="own id"),
    )
    with History(path) as history:
        assert history.find("abcd").message.text == "1"
        assert history.find("abce" * 8).message.text == "2"
        assert history.find("ow").message.text == "3"
        with pytest.raises(Ambiguous):
            history.find("abc")
        with pytest.raises(UnknownMessage):
            history.find("abcd", "ops")
        with pytest.raises(UnknownMessage):
            history.find("eeee")  # a reaction is no message
        [first, second] = [entry for entry in history.all(Filter()) if entry.message.text == "ok"]
        assert first.id == second.id
        assert history.find(second.id[:5]) == second
        assert history.own_last(ALICE).message.text == "mine"
        with pytest.raises(UnknownMessage):
            history.own_last(ALICE, "lobby")


def test_rooms_count_what_is_unread_and_your_own_messages_are_not(path: Path) -> None:
    save(path, message("1", "1", at=1), message("2", "2", at=2), message("mine", "3", sender=ALICE, at=3))
    save(path, message("elsewhere", "4", room="ops", at=4), message("👍", "5", at=5, kind="react", re="1"))
    with History(path) as history:
        assert history.rooms() == [
            ("lobby", 3, 2, NOW + timedelta(seconds=3)),
            ("ops", 1, 1, NOW + timedelta(seconds=4)),
        ]
        history.mark_read("lobby", history.find("1").at)
        assert [room.unread for room in history.rooms()] == [1, 1]
        history.mark_read("lobby")
        history.mark_read("lobby", 0)  # an older marker changes nothing
        assert [room.unread for room in history.rooms()] == [0, 1]
    save(path, message("old", "6", at=0), message("new", "7", at=9))
    with History(path) as history:
        assert [room.unread for room in history.rooms()] == [1, 1]


def test_a_file_that_cannot_be_written_is_read(path: Path) -> None:
    save(path, message("hello", "1"))
    path.parent.chmod(0o500)
    path.chmod(0o400)
    try:
        assert texts(entries(path)) == ["hello"]
    finally:
        path.parent.chmod(0o700)


def has_warned(recording: Recorder, warnings: list[LocalError]) -> bool:
    recording.flush()
    return bool(warnings)


def test_a_newer_file_is_rejected_and_left_alone(path: Path) -> None:
    save(path, message("hello", "1"))
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()
    before = path.read_bytes()
    warnings: list[LocalError] = []
    with Recorder(path, ALICE, warnings.append, lambda: NOW) as recording:
        recording.add(message("kept", "2"))
        recording.flush()
        wait_until(lambda: has_warned(recording, warnings))
    assert [type(warning) for warning in warnings] == [HistoryTooNew]
    with pytest.raises(HistoryTooNew, match="newer version"), History(path):
        pass
    assert path.read_bytes() == before
    assert b"kept" in everything(path)  # the newer version will sort it in


@pytest.mark.parametrize("step", range(len(MIGRATIONS)))
def test_a_file_from_every_earlier_step_opens(path: Path, step: int) -> None:
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    for number, statements in enumerate(MIGRATIONS[:step], 1):
        for statement in statements:
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {number}")
    database.close()
    save(path, message("hello", "1"))
    assert texts(entries(path)) == ["hello"]


@pytest.mark.parametrize("damage", ["all", "inside"])
def test_a_damaged_file_is_set_aside_and_saving_goes_on(path: Path, damage: str) -> None:
    save(path, *(message(str(number), str(number)) for number in range(500)))
    content = path.read_bytes()
    broken = b"not a database" * 1000 if damage == "all" else content[:100] + b"\xff" * (len(content) - 100)
    path.write_bytes(broken)
    with pytest.raises(HistoryDamaged, match="damaged"):
        entries(path)
    warnings: list[LocalError] = []
    with Recorder(path, ALICE, warnings.append, lambda: NOW) as recording:
        recording.add(message("saved", "x"))
        recording.flush()
        wait_until(lambda: has_warned(recording, warnings))
    [warning] = warnings
    aside = path.with_name(f"{path.name}.damaged-20260131T120000")
    assert str(aside) in str(warning)
    assert aside.read_bytes() == broken
    assert texts(entries(path)) == ["saved"]


@pytest.mark.parametrize("table", ["name", "sender", "room", "message"])
def test_a_damaged_part_is_named_when_it_is_read(path: Path, table: str) -> None:
    save(path, message("hello", "1"))
    with closing(connect(path)) as database:
        [[root]] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,))
        [[size]] = database.execute("PRAGMA page_size")
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)
    for read in (
        lambda history: history.last(Filter(), 1),
        lambda history: [*history.all(Filter())],
        lambda history: [*history.originals(Filter())],
        lambda history: history.find("1"),
    ):
        with History(path) as history, pytest.raises(HistoryDamaged, match="the history is damaged"):
            read(history)


def test_a_history_in_an_unusable_folder_is_not_an_empty_one(path: Path) -> None:
    path.parent.parent.mkdir()
    path.parent.write_text("this is a file")
    with pytest.raises(LocalError, match="the history cannot be used"), History(path):
        pass


def test_a_history_that_cannot_be_written_warns_once(path: Path) -> None:
    path.parent.parent.mkdir()
    path.parent.write_text("this is a file")
    warnings: list[LocalError] = []
    with Recorder(path, ALICE, warnings.append, lambda: NOW) as recording:
        for number in range(3):
            recording.add(message("hello", str(number)))
            recording.flush()
    [warning] = warnings
    assert "not saved from now on" in str(warning)


@pytest.mark.parametrize("size", [0, 1, 20, -20, -1])
def test_an_entry_that_was_cut_off_does_not_block_the_others(path: Path, size: int) -> None:
    with recorder(path) as recording:
        recording.add(message("before", "1"))
        recording.flush()
        recording.add(message("cut off", "2", at=1))
        recording.flush()
    [journal] = journals(path)
    whole = journal.read_bytes()
    second = whole.index(b"\n", 1) + 1
    journal.write_bytes(whole[:second] + whole[second:][:size])
    with recorder(path) as recording:
        recording.add(message("after", "3", at=2))
        recording.flush()
    assert journals(path) == [journal]
    assert texts(entries(path)) == ["before", "after"]
    assert journals(path) == []


def test_programs_that_run_one_after_another_share_a_journal(path: Path) -> None:
    for number in range(5):
        with recorder(path) as recording:
            recording.add(message(str(number), str(number), at=number))
            recording.flush()
    assert len(journals(path)) == 1
    assert texts(entries(path)) == ["0", "1", "2", "3", "4"]


def test_what_a_running_program_has_saved_is_read_once(path: Path) -> None:
    with recorder(path) as first, recorder(path) as second:
        for number in range(4):
            for one in (first, second):
                one.add(message("the same"))
                one.flush()
            assert texts(entries(path)) == ["the same"] * (number + 1)
    assert texts(entries(path)) == ["the same"] * 4


def test_a_large_journal_is_followed_by_another_one(path: Path) -> None:
    with recorder(path) as recording:
        for number in range(100):
            recording.add(message(str(number) + "x" * 100_000, str(number)))
            recording.flush()
        assert len(journals(path)) > 2
        assert len(entries(path)) == 100
        wait_until(lambda: len(journals(path)) <= 1)  # who sorts one in removes it: this program may, too
    assert len(entries(path)) == 100


def test_an_idle_program_sorts_in_what_it_saved(path: Path) -> None:
    with recorder(path) as recording:
        recording.add(message("hello", "1"))
        recording.flush()
        wait_until(lambda: not journals(path))
        recording.add(message("hello again", "2", at=1))
        recording.flush()
        assert len(journals(path)) == 1
    assert texts(entries(path)) == ["hello", "hello again"]


class WatchedPath(SystemPath):
    """A path that notes for each journal that is removed whether it is locked then."""

    were_locked: ClassVar[list[bool]] = []

    def unlink(self, missing_ok: bool = False) -> None:
        if self.suffix == ".journal":
            self.were_locked.append(is_locked(self.parent, f"{self.name}.lock"))
        super().unlink(missing_ok)


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "ended"])
def test_a_journal_is_locked_until_it_is_gone_so_that_no_program_appends_to_it(
    path: Path, is_running: bool
) -> None:
    journal = Journal(WatchedPath(path))
    journal.append(to_entry([message("hello", "1")], 1))
    if not is_running:
        journal.close()
    WatchedPath.were_locked.clear()
    with closing(connect(path, ALICE)) as database:
        for _ in sorted_in(database, WatchedPath(path), journal):
            pass
    assert journals(path) == []
    assert WatchedPath.were_locked == [True]


def test_what_two_programs_sort_in_at_the_same_time_is_there_once(path: Path) -> None:
    journal, number = Journal(path), 300

    def sort_often() -> None:
        with closing(connect(path, ALICE)) as database:
            while not saved.done():
                for _ in sorted_in(database, path, journal):
                    pass

    def save_often() -> None:
        for each in range(number):
            journal.append(to_entry([message(str(each), at=each * 10)], 1))

    with closing(connect(path, ALICE)), ThreadPoolExecutor() as pool:
        saved = pool.submit(save_often)
        for sorting in [pool.submit(sort_often) for _ in range(2)]:
            sorting.result()
    journal.close()
    assert texts(entries(path)) == [str(each) for each in range(number)]


def test_a_program_whose_folder_is_removed_saves_in_a_new_one(path: Path) -> None:
    journal = Journal(path)
    journal.append(to_entry([message("removed", "1")], 1))
    rmtree(path.parent)
    with closing(connect(path, ALICE)) as database:
        for _ in sorted_in(database, path, journal):
            pass
    journal.append(to_entry([message("new", "2")], 1))
    journal.close()
    assert texts(entries(path)) == ["new"]


@pytest.mark.parametrize(
    "entry",
    [b"", b"\0" * 100, b"[]", b"[1,0]\x1f", b"\xff\x1f", b"{}\x1f\x1f", b"[" * 100_000 + b"\x1f",
     b'[1,1,"r","s",null,1e300,null,null,0,false,null,null]\x1fx\x1f',
     b'[1,1,"r","s",null,99999999999999999,null,null,0,false,null,null]\x1fx\x1f',
     b'[1,1,"r","s",null,1,null,99999999999999999,0,false,null,null]\x1fx\x1f',
     b'[1,1,"r",7,null,1,null,null,0,false,null,null]\x1fx\x1f',
     b'["1",1,"r","s",null,1,null,null,0,false,null,null]\x1fx\x1f',
     b'[1,1,"r","s",null,1,null,null,0,false,[["x"]],null]\x1fx\x1f',
     b'[1,1,"r","s",null,1]\x1fx\x1f'],
)  # fmt: skip
def test_what_no_program_has_written_is_skipped(path: Path, entry: bytes) -> None:
    journal = Journal(path)
    journal.append(entry)
    journal.close()
    with recorder(path) as recording:
        recording.add(message("after", "1"))
        recording.flush()
    assert texts(entries(path)) == ["after"]


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_time_that_a_sender_can_name_come_back(path: Path, sent: str) -> None:
    save(path, from_wire("lobby", BOB, b"x", [("id", "1"), ("sent", sent)], NOW))
    [entry] = entries(path)
    assert entry.message.sent
    assert abs(entry.message.sent - datetime.fromisoformat(sent)) < timedelta(milliseconds=1)


def test_a_program_that_could_not_sort_in_tries_again(path: Path) -> None:
    save(path, message("old", "1"))
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        warnings: list[LocalError] = []
        with Recorder(path, ALICE, warnings.append, lambda: NOW) as recording:
            recording.add(message("new", "2", at=1))
            recording.flush()
            wait_until(lambda: has_warned(recording, warnings))
            database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            recording.add(message("newer", "3", at=2))
            recording.flush()
            wait_until(lambda: not journals(path))
    assert [type(warning) for warning in warnings] == [HistoryTooNew]
    assert texts(entries(path)) == ["old", "new", "newer"]


def test_two_programs_that_find_the_same_damage_begin_one_new_history(path: Path) -> None:
    save(path, message("old", "1"))
    path.write_bytes(b"not a database" * 1000)
    found = []
    for _ in range(2):
        with pytest.raises(HistoryDamaged) as caught:
            connect(path)
        found.append(caught.value)
    begin_anew(found[0], path, NOW)
    save(path, message("new", "2"))
    begin_anew(found[1], path, NOW)
    assert texts(entries(path)) == ["new"]


def test_a_second_damaged_file_does_not_replace_the_first(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"first")
    first = set_aside(path, NOW)
    path.write_bytes(b"second")
    assert set_aside(path, NOW).read_bytes() == b"second"
    assert first.read_bytes() == b"first"


def everything(path: Path) -> bytes:
    """What is on the disk of a history."""
    return b"".join(one.read_bytes() for one in path.parent.iterdir() if one.is_file())


def test_a_deleted_text_is_nowhere_on_the_disk(path: Path) -> None:
    filler = [message(f"filler {number}", f"f{number}") for number in range(200)]
    save(path, *filler, message("zanzibar", "1"), message("xylophone", "2", kind="edit", re="1"))
    assert b"zanzibar" in everything(path)
    assert b"xylophone" in everything(path)
    save(path, message("(message deleted)", "3", kind="delete", re="1"))
    assert b"zanzibar" not in everything(path)
    assert b"xylophone" not in everything(path)


def test_messages_that_other_threads_add_while_others_are_saved_are_all_saved(path: Path) -> None:
    sent = [message(str(number), f"{number}") for number in range(200)]

    def add() -> None:
        for one in sent:
            recording.add(one)
            time.sleep(0)  # the other thread's turn

    with recorder(path) as recording:
        adding = Thread(target=add)
        adding.start()
        while adding.is_alive():
            recording.flush()
    assert len(entries(path)) == len(sent)


def test_what_is_added_after_the_end_is_not_saved_and_breaks_nothing(path: Path) -> None:
    recording = recorder(path)
    recording.add(message("in time", "1"))
    recording.close()
    recording.add(message("too late", "2"))
    recording.close()
    assert texts(entries(path)) == ["in time"]


def test_a_deleted_text_that_another_program_still_reads_is_removed_later(path: Path) -> None:
    save(path, message("before", "0"))
    with (
        closing(connect(path)) as open_later,
        closing(connect(path)) as reader,
        closing(connect(path)) as saving,
    ):
        saving.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM message").fetchall()
        Intake(saving).add([to_record(message("zanzibar", "1", at=1))], 1)
        Intake(saving).add([to_record(message("", "2", kind="delete", re="1", at=2))], 1)
        reader.execute("COMMIT")
        assert b"zanzibar" in everything(path)
        for _ in sorted_in(saving, path):
            pass
        assert b"zanzibar" not in everything(path)
        assert open_later.execute("SELECT count(*) FROM message").fetchone() == (3,)
