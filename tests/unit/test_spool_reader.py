"""The reader of a spool: how far it may be ahead of the sender."""

from pathlib import Path

from aws_iot.publishing.request import InputOptions, PublishRequest
from aws_iot.publishing.spool.reader import Backlog, SpoolReader
from aws_iot.publishing.spool.store import Spool
from tests.waiting import wait_until

POOL = "us-east-1:pool"


def reader_of(folder: Path, messages: int) -> SpoolReader:
    """A reader that pauses when it is more than 20 messages ahead, and checks that after every tenth."""
    request = PublishRequest(InputOptions("lobby", "x", repeat=messages), POOL, b"x")
    return SpoolReader(request, "ab12", lambda: Spool(folder, POOL, "alice"), Backlog(20, 10))


def wait_for(spool: Spool, count: int) -> None:
    wait_until(lambda: spool.count() == count, spool.count)


def test_with_a_connection_it_pauses_until_more_is_sent(tmp_path: Path) -> None:
    with Spool(tmp_path, POOL, "alice") as spool:
        reader = reader_of(tmp_path, 100)
        reader.backlog.connected()
        reader.start()
        wait_for(spool, 30)
        reader.backlog.sent_up_to(15)
        wait_for(spool, 40)  # although nothing was removed, as for messages that exceed a limit
        reader.stop()
        assert reader.is_finished


def test_without_a_connection_it_reads_everything(tmp_path: Path) -> None:
    with Spool(tmp_path, POOL, "alice") as spool:
        reader = reader_of(tmp_path, 100)
        reader.start()
        wait_for(spool, 100)
        reader.stop()


def test_it_pauses_no_longer_once_the_connection_is_lost(tmp_path: Path) -> None:
    with Spool(tmp_path, POOL, "alice") as spool:
        reader = reader_of(tmp_path, 100)
        reader.backlog.connected()
        reader.start()
        wait_for(spool, 30)
        reader.backlog.disconnected()
        wait_for(spool, 100)
        reader.stop()
