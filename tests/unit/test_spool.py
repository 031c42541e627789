"""The spool: what waits is there in order, for whoever said it, whatever programs put it there."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_iot.errors import LocalError
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool import BATCH, STEPS, Spool
from tests.waiting import DEADLINE_SECONDS


def said(number: object) -> Outgoing:
    return Outgoing("lobby", str(number).encode(), f"ab12-{number}")


def spooled(folder: Path, pool: str = "pool", speaker: str | None = "alice") -> Spool:
    return Spool(folder, pool, speaker)


def everything(spool: Spool) -> list[Outgoing]:
    found: list[Outgoing] = []
    last = 0
    while batch := spool.waiting(last):
        last = batch[-1][0]
        found += [message for _, message in batch]
    return found


def test_what_waits_comes_in_order_however_much_it_is(tmp_path: Path) -> None:
    with spooled(tmp_path / "spool") as spool:
        for number in range(2 * BATCH + 1):
            spool.add(said(number))
    with spooled(tmp_path / "spool") as spool:
        assert everything(spool) == [said(number) for number in range(2 * BATCH + 1)]
        assert spool.count() == 2 * BATCH + 1


def test_what_has_arrived_waits_no_more_and_a_copy_counts_once(tmp_path: Path) -> None:
    kept = Outgoing("lobby", b"\xff\x00", "2", 0, True)
    with spooled(tmp_path) as spool:
        for message in (said(1), kept, kept, said(3)):
            spool.add(message)
        spool.remove([said(1).id, said(3).id, "nobody"])
        assert everything(spool) == [kept]


def test_what_is_added_later_comes_later_and_can_be_left_out(tmp_path: Path) -> None:
    with spooled(tmp_path) as spool:
        spool.add(said(1))
        end = spool.last()
        spool.remove([said(1).id])
        spool.add(said(2))
        assert spool.waiting(0, end) == []
        assert [message for _, message in spool.waiting(end)] == [said(2)]


def test_several_programs_add_at_once(tmp_path: Path) -> None:
    def add(program: int) -> None:
        with spooled(tmp_path) as spool:
            for number in range(50):
                spool.add(said(f"{program}-{number}"))

    programs = [threading.Thread(target=add, args=(program,)) for program in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    with spooled(tmp_path) as spool:
        assert spool.count() == 200
        assert spool.count("ab12-3-") == 50


def test_one_program_at_a_time_sends_for_somebody(tmp_path: Path) -> None:
    with spooled(tmp_path) as spool, spooled(tmp_path) as other, spooled(tmp_path, speaker="bob") as bob:
        with spool.sending() as first, other.sending() as second, bob.sending() as third:
            assert (first, second, third) == (True, False, True)
        with other.sending() as second:
            assert second


def test_what_somebody_said_is_sent_by_nobody_else(tmp_path: Path) -> None:
    with spooled(tmp_path, speaker=None) as spool:
        spool.add(said("of whoever comes first"))
    with spooled(tmp_path) as spool:
        spool.add(said("of alice"))
    with spooled(tmp_path, "other") as spool:
        spool.add(said("for another pool"))
        assert everything(spool) == [said("for another pool")]
    with spooled(tmp_path, speaker="bob") as spool, spooled(tmp_path, speaker="carol") as later:
        with spool.sending(), later.sending():
            assert everything(spool) == [said("of whoever comes first")]
            assert everything(later) == []
        assert spool.others() == [("other", "alice", 1), ("pool", "alice", 1)]


def test_a_refusal_is_told_once_to_the_program_that_it_concerns(tmp_path: Path) -> None:
    with spooled(tmp_path) as spool:
        for number in (1, 2):
            spool.add(said(number))
        spool.refuse(said(1).id, "too much")
        assert everything(spool) == [said(2)]
        assert spool.refused("cd34") == []
        assert spool.refused("ab12") == [(said(1).id, "too much")]
        assert spool.refused("ab12") == []


def test_what_an_earlier_version_kept_is_there(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "spool.sqlite3")
    with database:
        database.execute(STEPS[0])
        database.execute("INSERT INTO waiting VALUES (1, 'pool', 'lobby', x'78', 'ab12-1', 1, 0)")
    database.close()
    with spooled(tmp_path) as spool, spool.sending():
        assert everything(spool) == [Outgoing("lobby", b"x", "ab12-1")]


@pytest.mark.parametrize("taken", range(len(STEPS)))
def test_a_program_that_was_killed_while_it_made_the_tables_is_in_nobody_s_way(
    tmp_path: Path, taken: int
) -> None:
    database = sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None)
    for number, step in enumerate(STEPS[:taken], 1):
        database.execute(step)
        database.execute(f"PRAGMA user_version = {number}")
    if taken < len(STEPS):
        database.execute("BEGIN IMMEDIATE")  # which ends with the process
        database.execute(STEPS[taken])
    database.close()
    with spooled(tmp_path) as spool:
        spool.add(said(1))
        assert spool.count() == 1


def test_what_is_broken_off_is_not_half_done_and_the_rest_goes_on(tmp_path: Path) -> None:
    def broken_off() -> Iterator[str]:
        yield said(1).id
        raise KeyboardInterrupt

    with spooled(tmp_path) as spool:
        for number in (1, 2):
            spool.add(said(number))
        with pytest.raises(KeyboardInterrupt):
            spool.remove(broken_off())
        spool.remove([said(2).id])
        assert everything(spool) == [said(1)]


@pytest.mark.parametrize("damage", [b"nonsense" * 200, b"SQLite format 3\x00" + b"x" * 4096])
def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(damage)
    with pytest.raises(LocalError, match="cannot keep messages"), spooled(tmp_path):
        pass


def test_what_is_added_after_another_program_has_been_there_is_seen_by_the_next_one(tmp_path: Path) -> None:
    look = (
        "import pathlib, sys; from aws_iot.publishing.spool import Spool\n"
        "with Spool(pathlib.Path(sys.argv[1]), 'pool', 'alice') as spool: print(spool.count())"
    )

    def seen() -> int:
        command = [sys.executable, "-c", look, str(tmp_path)]
        return int(subprocess.run(command, capture_output=True, check=True, timeout=DEADLINE_SECONDS).stdout)

    # A program has two open, one for each thread: to open the second must not undo a lock of the first.
    with spooled(tmp_path) as first, spooled(tmp_path) as second:
        first.add(said(1))
        assert seen() == 1
        first.add(said(2))
        assert second.count() == 2
        assert seen() == 2
        second.add(said(3))
        assert (first.count(), seen()) == (3, 3)
