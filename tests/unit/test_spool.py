"""The spool: what waits is there in order, for one program at a time, for its own pool."""

from pathlib import Path

import pytest

from aws_iot.errors import ProfileError
from aws_iot.spool import BATCH, Spool


def test_what_waits_comes_in_order_however_much_it_is(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool", "pool") as spool:
        for number in range(2 * BATCH + 1):
            spool.add("lobby", b"%d" % number, str(number))
    with Spool(tmp_path / "spool", "pool") as spool:
        assert [payload for _, payload, *_ in spool.waiting()] == [b"%d" % n for n in range(2 * BATCH + 1)]
        assert spool.count() == 2 * BATCH + 1


def test_what_has_arrived_waits_no_more_and_a_copy_counts_once(tmp_path: Path) -> None:
    with Spool(tmp_path, "pool") as spool:
        for message_id in ("1", "2", "2", "3"):
            spool.add("lobby", b"\xff\x00", message_id)
        spool.remove(["1", "3", "nobody"])
        assert list(spool.waiting()) == [("lobby", b"\xff\x00", "2", 1, False)]


def test_what_is_added_while_it_is_read_is_not_read_twice(tmp_path: Path) -> None:
    with Spool(tmp_path, "pool") as spool:
        spool.add("lobby", b"1", "1")
        for _, payload, *_ in spool.waiting():
            spool.add("lobby", b"2", f"{payload!r}-again")
        assert spool.count() == 2


def test_one_program_at_a_time_uses_it(tmp_path: Path) -> None:
    with (
        Spool(tmp_path, "pool"),
        pytest.raises(ProfileError, match="another program"),
        Spool(tmp_path, "pool"),
    ):
        pass


def test_messages_for_another_pool_are_not_sent_to_this_one(tmp_path: Path) -> None:
    with Spool(tmp_path, "pool") as spool:
        spool.add("lobby", b"1", "1")
    with pytest.raises(ProfileError, match="another identity pool"), Spool(tmp_path, "other"):
        pass


@pytest.mark.parametrize("damage", [b"nonsense" * 200, b"SQLite format 3\x00" + b"x" * 4096])
def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(damage)
    with pytest.raises(ProfileError, match="cannot keep messages"), Spool(tmp_path, "pool"):
        pass
