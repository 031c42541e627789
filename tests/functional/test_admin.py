"""`aws-iot admin`: accepting and revoking members, and the connections of clients."""

import json
from datetime import UTC, datetime

import pytest

from aws_iot.backend.members import ClientStatus
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeCloud, FakeUser

ONE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
TWO = "us-east-1:5e8ea251-0ed5-4578-add0-985024739222"
SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def signed_in(cloud: FakeCloud) -> None:
    """Two people have signed in, with accounts that are not listed here."""
    cloud.other_identities |= {ONE: [], TWO: []}


def test_several_identities_are_accepted_and_revoked_at_once(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    for _ in range(2):
        assert "6 to 8 minutes" in aws_iot(f"admin accept {ONE} {TWO}").stderr
    assert aws_iot("admin members").stdout.split() == [ONE, TWO]
    assert "6 to 8 minutes" in aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert cloud.members == set()
    listed = aws_iot("admin members")
    assert (listed.stdout, "No members yet" in listed.stderr) == ("", True)


def test_revoking_an_identity_that_is_not_a_member_says_so(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.other_identities = {TWO: ["other-member", "things"]}
    printed = aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert f"{ONE} was not accepted (policy fake-member); it has no policy." in printed
    assert f"{TWO} was not accepted (policy fake-member); its policies are: other-member, things." in printed
    assert "Revoked" not in printed
    assert "cannot find it" in aws_iot(f"admin revoke {ONE} --policy fake-membre", ends=7).stderr


def test_an_identity_that_does_not_exist_is_skipped(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    del cloud.other_identities[ONE]
    printed = aws_iot(f"admin accept {ONE} {TWO}", ends=7).stderr
    assert f"Error: {ONE}: the identity {ONE} does not exist" in printed
    assert cloud.members == {TWO}


def test_members_are_listed_as_json(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.members = {ONE}
    [shown] = [json.loads(line) for line in aws_iot("admin members --json").stdout.splitlines()]
    assert shown == {"identity": ONE, "name": None, "policy": "fake-member"}


def test_a_member_who_is_signed_in_here_is_shown_with_the_user_name(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    alice = cloud.member("alice", "Passw0rd")
    cloud.members.add(ONE)
    aws_iot("login -u alice -p Passw0rd")
    assert sorted(aws_iot("admin members").stdout.splitlines()) == sorted([f"{alice}  alice", ONE])


@pytest.mark.parametrize("command", ["accept", "revoke"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("alice", "is not an identity ID: it should look like us-east-1:"),
        (ONE.upper(), f"it has no upper-case letters: {ONE}"),
        (f"\\'{ONE}\\'", f"remove the characters around it: {ONE}"),
        (f"{ONE},", f"remove the characters around it: {ONE}"),
        (f"{ONE}-worker", f"it is a client ID; the identity is {ONE}"),
        (ONE.partition(":")[2], f"its region is missing: {ONE}"),
        (ONE[:-1], "it should look like us-east-1:"),
        (f"{ONE}0", "it should look like us-east-1:"),
        (ONE.replace("us-east-1", "eu-west-1"), "pool, which is in us-east-1"),
        (POOL, "is the ID of the identity pool"),
    ],
)
def test_a_malformed_identity_stops_the_command_before_any_change(
    aws_iot: CommandLine, cloud: FakeCloud, command: str, wrong: str, words: str
) -> None:
    cloud.members = {TWO}
    assert words in aws_iot(f"admin {command} {ONE} {TWO} {wrong}", ends=2).stderr
    assert cloud.members == {TWO}


def test_requests_are_listed_the_latest_first(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.member("carol", "Passw0rd")
    cloud.accounts |= {name: FakeUser("Passw0rd", f"{name}@example.com") for name in ("alice", "bob")}
    alice, bob = cloud.accounts["alice"].identity, cloud.accounts["bob"].identity
    lines = aws_iot("admin requests").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [bob, alice]
    shown = [json.loads(line) for line in aws_iot("admin requests --json").stdout.splitlines()]
    assert [one["identity"] for one in shown] == [bob, alice]
    assert shown[1]["since"] == "2026-01-02T00:00:00.000Z"
    aws_iot(f"admin accept {alice} {bob}")
    assert "All identities" in aws_iot("admin requests").stderr


def test_the_status_of_a_client_is_shown_and_its_connection_closed(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    client = f"{ONE}-1a2b3c4d"
    cloud.clients[client] = ClientStatus(client, True, SINCE, None, [f"{POOL}/\x1b[31m#"])
    printed = aws_iot(f"admin who {client}").stdout
    assert printed.startswith(f"{client}  connected since 2026-11-2")
    assert printed.endswith(f"subscribed to {POOL}/\\x1b[31m#\n")
    assert json.loads(aws_iot(f"admin who --json {client}").stdout)["since"] == "2026-11-23T12:00:00.000Z"
    shown = aws_iot(f"admin who --json gone {client}", ends=7)
    assert json.loads(shown.stdout)["client"] == client
    assert "Error: gone: AWS IoT Core has no such client" in shown.stderr
    assert "Closed" in aws_iot(f"admin kick gone {client}", ends=7).stderr
    assert "no such client" in aws_iot(f"admin who {client}", ends=7).stderr
