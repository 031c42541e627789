"""What reads into a spool: as far ahead as it may."""

from pathlib import Path

from aws_iot.cli.commands.pub.input import Given
from aws_iot.cli.commands.pub.job import Wanted
from aws_iot.cli.commands.pub.spooled import Reader
from aws_iot.publishing.spool import Spool
from tests.waiting import wait_until


def reader_of(folder: Path, messages: int) -> Reader:
    """One that pauses with more than 20 messages to be sent, and looks after ten."""
    given = Given("lobby", "x", False, False, None, False, messages, 0.0)
    wanted = Wanted(given, b"x", "us-east-1:pool", 1, False, 0)
    return Reader(wanted, "ab12", lambda: Spool(folder, "us-east-1:pool", "alice"), ahead=20, each=10)


def wait_for(spool: Spool, count: int) -> None:
    wait_until(lambda: spool.count() == count, spool.count)


def test_with_a_connection_it_pauses_until_more_is_sent(tmp_path: Path) -> None:
    with Spool(tmp_path, "us-east-1:pool", "alice") as spool:
        reader = reader_of(tmp_path, 100)
        reader.is_away = False
        reader.begin()
        wait_for(spool, 30)
        reader.sent = 15
        wait_for(spool, 40)  # although all of it waits still, as what exceeds a limit does
        reader.stop()
        assert reader.has_ended


def test_without_a_connection_it_reads_all(tmp_path: Path) -> None:
    with Spool(tmp_path, "us-east-1:pool", "alice") as spool:
        reader = reader_of(tmp_path, 100)
        reader.begin()
        wait_for(spool, 100)
        reader.stop()
