"""`aws-iot admin`: who may come in."""

import json
from datetime import UTC, datetime

import pytest

from aws_iot.aws.members import Connected
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeCloud, FakeUser

ONE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
TWO = "us-east-1:5e8ea251-0ed5-4578-add0-985024739222"
SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_several_are_accepted_and_revoked_at_once_and_again(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    for _ in range(2):
        assert "6 to 8 minutes" in aws_iot(f"admin accept {ONE} {TWO}").stderr
    assert aws_iot("admin members").stdout.split() == [ONE, TWO]
    for _ in range(2):
        assert "6 to 8 minutes" in aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert cloud.members == set()
    listed = aws_iot("admin members")
    assert (listed.stdout, "Nobody" in listed.stderr) == ("", True)


def test_members_are_listed_for_programs(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.members = {ONE}
    assert json.loads(aws_iot("admin members --json").stdout) == {"identity": ONE, "policy": "fake-member"}


@pytest.mark.parametrize("command", ["accept", "revoke"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("alice", "is no identity; one looks like us-east-1:"),
        (ONE.upper(), "is no identity"),
        (ONE.replace("us-east-1", "eu-west-1"), "pool, which is in us-east-1"),
        (POOL, "is the identity pool"),
    ],
)
def test_what_is_no_identity_of_the_pool_stops_it_before_the_first(
    aws_iot: CommandLine, cloud: FakeCloud, command: str, wrong: str, words: str
) -> None:
    cloud.members = {TWO}
    assert words in aws_iot(f"admin {command} {ONE} {TWO} {wrong}", ends=2).stderr
    assert cloud.members == {TWO}


def test_who_waits_is_listed_the_latest_first(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.member("carol", "Passw0rd")
    cloud.accounts |= {name: FakeUser("Passw0rd", f"{name}@example.com") for name in ("alice", "bob")}
    alice, bob = cloud.accounts["alice"].identity, cloud.accounts["bob"].identity
    lines = aws_iot("admin requests").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [bob, alice]
    shown = [json.loads(line) for line in aws_iot("admin requests --json").stdout.splitlines()]
    assert [one["identity"] for one in shown] == [bob, alice]
    aws_iot(f"admin accept {alice} {bob}")
    assert "Everybody" in aws_iot("admin requests").stderr


def test_a_client_is_shown_and_its_connection_ended(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    client = f"{ONE}-1a2b3c4d"
    cloud.clients[client] = Connected(client, True, SINCE, None, [f"{POOL}/\x1b[31m#"])
    said = aws_iot(f"admin who {client}").stdout
    assert said.startswith(f"{client}  connected since 2026-11-2")
    assert said.endswith(f"hears {POOL}/\\x1b[31m#\n")
    assert json.loads(aws_iot(f"admin who --json {client}").stdout)["since"] == "2026-11-23T12:00:00+00:00"
    assert "Ended" in aws_iot(f"admin kick {client}").stderr
    assert "no such client" in aws_iot(f"admin who {client}", ends=7).stderr
