"""`aws-iot spool`: list and delete messages that were not sent."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.errors import Unreachable
from aws_iot.publishing.spool.store import Spool
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud


@pytest.fixture
def spool(aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path) -> Path:
    """A spool with two messages of Alice."""
    cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")

    def unplugged(_: object) -> None:
        raise Unreachable("cannot reach it")

    app.controls.on_connect = unplugged
    folder = tmp_path / "outbox"
    aws_iot(f"pub -r lobby -m one --spool {folder}", ends=6)
    aws_iot(f"pub -r ops -m two --spool {folder}", ends=6)
    app.controls.on_connect = lambda _: None
    return folder


def test_a_single_message_is_reported_as_without_a_spool(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    assert aws_iot(f"pub -r alarms -m hello --spool {tmp_path / 'outbox'}").stderr == "Sent to alarms.\n"


@pytest.mark.parametrize("named", [True, False])
def test_spools_are_listed(aws_iot: CommandLine, spool: Path, named: bool) -> None:
    header, row = aws_iot(f"spool list {spool if named else ''}").stdout.splitlines()
    assert header.split() == ["SPOOL", "MESSAGES", "OLDEST", "PROFILE", "USER", "ROOMS"]
    assert row.split()[:2] == [str(spool), "2"]
    assert row.split()[4:] == ["default", "alice", "lobby,", "ops"]


def test_spools_are_listed_as_json(aws_iot: CommandLine, spool: Path) -> None:
    row = json.loads(aws_iot("spool list --json").stdout)
    age = datetime.now(UTC) - datetime.fromisoformat(row.pop("oldest"))
    assert timedelta(seconds=-1) < age < timedelta(hours=1)
    assert row == {
        "spool": str(spool),
        "messages": 2,
        "profiles": ["default"],
        "pool": POOL,
        "user": "alice",
        "rooms": ["lobby", "ops"],
    }


def test_only_what_a_profile_can_send_is_listed(aws_iot: CommandLine, app: FakeApp, spool: Path) -> None:
    profile = app.config.profiles.load("default")
    app.config.profiles.replace("twin", profile._replace(key="twin"))
    app.config.profiles.replace("other", profile._replace(key="other", identity_pool_id="us-east-1:other"))
    listed = aws_iot("spool list").stdout
    assert aws_iot("spool list -k default").stdout == listed
    done = aws_iot(f"spool list {spool} -k other")
    assert (done.stdout, done.stderr) == ("", "Nothing is waiting for the profile 'other'.\n")
    assert "'nobody'" in aws_iot("spool list -k nobody", ends=3).stderr


def test_an_empty_spool_is_listed_until_its_folder_is_gone(aws_iot: CommandLine, spool: Path) -> None:
    aws_iot(f"pub --spool {spool}")
    assert aws_iot("spool list").stdout.splitlines()[1].split()[:2] == [str(spool), "0"]
    for file in spool.iterdir():
        file.unlink()
    done = aws_iot("spool list")
    assert done.stdout == ""
    assert "aws-iot pub -r ROOM --lines --spool DIR" in done.stderr


@pytest.fixture
def damaged(aws_iot: CommandLine, tmp_path: Path) -> Path:
    """A spool that is no database any more."""
    folder = tmp_path / "damaged"
    aws_iot(f"pub -r lobby -m three --spool {folder}")
    for file in folder.iterdir():
        file.unlink()
    (folder / "spool.sqlite3").write_bytes(b"not a database, but long enough to be taken for one" * 20)
    return folder


@pytest.mark.parametrize("option", ["", "--json"])
def test_a_damaged_spool_does_not_hide_the_others_but_is_an_error(
    aws_iot: CommandLine, spool: Path, damaged: Path, option: str
) -> None:
    done = aws_iot(f"spool list {option}", ends=3)
    assert done.stderr == f"Error: {damaged}: the spool cannot be used: file is not a database\n"
    assert str(spool) in done.stdout


def test_a_damaged_spool_is_not_cleared(aws_iot: CommandLine, spool: Path, damaged: Path) -> None:
    done = aws_iot(f"spool clear {damaged} --yes", ends=3)
    assert done.stderr == f"Error: {damaged}: the spool cannot be used: file is not a database\n"


def test_a_damaged_list_of_spools_counts_as_empty(aws_iot: CommandLine, app: FakeApp, spool: Path) -> None:
    app.settings.folders.spools.write_text("[1, {")
    assert aws_iot("spool list").stdout == ""
    aws_iot(f"pub --spool {spool}")
    assert str(spool) in aws_iot("spool list").stdout


def test_a_spool_is_cleared_only_on_confirmation(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, spool: Path
) -> None:
    assert "use --yes" in aws_iot(f"spool clear {spool}", ends=2).stderr
    app.controls.is_at_terminal = True
    told = aws_iot(f"spool clear {spool}", ends=2).stderr
    assert f"Delete 2 unsent messages in {spool}? [y/N]" in told  # it has asked
    assert json.loads(aws_iot("spool list --json").stdout)["messages"] == 2
    assert aws_iot(f"spool clear {spool} --yes").stderr == "Deleted 2 messages.\n"
    assert aws_iot(f"spool clear {spool}").stderr == "Deleted 0 messages.\n"
    aws_iot(f"pub --spool {spool}")
    assert cloud.published == []


def test_a_spool_is_not_cleared_while_it_is_used(aws_iot: CommandLine, spool: Path) -> None:
    with Spool(spool, POOL, "alice") as opened, opened.sending():
        told = aws_iot(f"spool clear {spool} --yes", ends=3).stderr
    assert f"Error: {spool}: a program is sending its messages\n" in told
    assert json.loads(aws_iot("spool list --json").stdout)["messages"] == 2


@pytest.mark.parametrize("line", ["spool list", "spool clear --yes"])
def test_a_folder_without_a_spool_is_an_error(aws_iot: CommandLine, tmp_path: Path, line: str) -> None:
    told = aws_iot(f"{line} {tmp_path}", ends=3).stderr
    assert "there is no spool in this folder" in told
    assert "aws-iot spool list" in told
    assert [file.name for file in tmp_path.iterdir()] == ["config"]
