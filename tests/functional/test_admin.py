"""`aws-iot admin`: who may come in."""

import json
from datetime import UTC, datetime

import pytest

from aws_iot.aws.admin.members import Connected
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeCloud, FakeUser

ONE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
TWO = "us-east-1:5e8ea251-0ed5-4578-add0-985024739222"
SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_several_are_accepted_and_revoked_at_once_and_again(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    for _ in range(2):
        assert "6 to 8 minutes" in aws_iot(f"admin accept {ONE} {TWO}").stderr
    assert aws_iot("admin members").stdout.split() == [ONE, TWO]
    assert "6 to 8 minutes" in aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert cloud.members == set()
    listed = aws_iot("admin members")
    assert (listed.stdout, "Nobody" in listed.stderr) == ("", True)


def test_who_was_not_accepted_is_not_said_to_be_revoked(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.strangers = {TWO: ["other-member", "things"]}
    said = aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert f"{ONE} was not accepted (policy fake-member); no policy is attached." in said
    assert f"{TWO} was not accepted (policy fake-member); attached are: other-member, things." in said
    assert "Revoked" not in said
    assert "does not know it" in aws_iot(f"admin revoke {ONE} --policy fake-membre", ends=7).stderr


def test_an_identity_that_nobody_has_is_not_accepted_and_in_nobody_s_way(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.strangers = {ONE: []}
    said = aws_iot(f"admin accept {ONE} {TWO}", ends=7).stderr
    assert f"Error: {ONE}: nobody has the identity" in said
    assert cloud.members == {TWO}


def test_members_are_listed_for_programs(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.members = {ONE}
    [shown] = [json.loads(line) for line in aws_iot("admin members --json").stdout.splitlines()]
    assert shown == {"identity": ONE, "name": None, "policy": "fake-member"}


def test_a_member_who_is_signed_in_on_this_machine_is_named(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    alice = cloud.member("alice", "Passw0rd")
    cloud.members.add(ONE)
    aws_iot("login -u alice -p Passw0rd")
    assert sorted(aws_iot("admin members").stdout.splitlines()) == sorted([f"{alice}  alice", ONE])


@pytest.mark.parametrize("command", ["accept", "revoke"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("alice", "is no identity: one looks like us-east-1:"),
        (ONE.upper(), f"it has no upper-case letters: {ONE}"),
        (f"\\'{ONE}\\'", f"leave out what is around it: {ONE}"),
        (f"{ONE},", f"leave out what is around it: {ONE}"),
        (f"{ONE}-worker", f"it is a client id, and the identity is {ONE}"),
        (ONE.partition(":")[2], f"its region is missing: {ONE}"),
        (ONE[:-1], "one looks like us-east-1:"),
        (f"{ONE}0", "one looks like us-east-1:"),
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
    assert shown[1]["since"] == "2026-01-02T00:00:00.000Z"
    aws_iot(f"admin accept {alice} {bob}")
    assert "Everybody" in aws_iot("admin requests").stderr


def test_a_client_is_shown_and_its_connection_ended(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    client = f"{ONE}-1a2b3c4d"
    cloud.clients[client] = Connected(client, True, SINCE, None, [f"{POOL}/\x1b[31m#"])
    said = aws_iot(f"admin who {client}").stdout
    assert said.startswith(f"{client}  connected since 2026-11-2")
    assert said.endswith(f"hears {POOL}/\\x1b[31m#\n")
    assert json.loads(aws_iot(f"admin who --json {client}").stdout)["since"] == "2026-11-23T12:00:00.000Z"
    shown = aws_iot(f"admin who --json gone {client}", ends=7)
    assert json.loads(shown.stdout)["client"] == client
    assert "Error: gone: AWS IoT Core knows no such client" in shown.stderr
    assert "Ended" in aws_iot(f"admin kick gone {client}", ends=7).stderr
    assert "no such client" in aws_iot(f"admin who {client}", ends=7).stderr
