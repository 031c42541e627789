"""`aws-iot admin`: accepting and revoking members, and the connections of clients."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result

from aws_iot.backend.members import ClientStatus
from aws_iot.backend.team import Person
from aws_iot.cli.commands.admin.people import is_cut, people_layout
from aws_iot.errors import Busy
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeUser

ONE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
TWO = "us-east-1:5e8ea251-0ed5-4578-add0-985024739222"
SINCE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def signed_in(cloud: FakeCloud) -> None:
    """Two people have signed in, with accounts that are not listed here."""
    cloud.other_identities |= {ONE: [], TWO: []}


def identities(listed: Result) -> list[str]:
    """The identities in the lines of `--json`."""
    return [json.loads(line)["identity"] for line in listed.stdout.splitlines()]


def joined(cloud: FakeCloud, username: str) -> str:
    """A person who has signed in; the identity."""
    identity = f"us-east-1:{username.encode().hex()[:6]}00-0ed5-4578-add0-985024739222"
    cloud.accounts[username] = FakeUser("Passw0rd", f"{username}@example.com", identity)
    return identity


def test_several_identities_are_accepted_and_revoked_at_once(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    assert "6 to 8 minutes" in aws_iot(f"admin accept {ONE} {TWO}").stderr
    again = aws_iot(f"admin accept {ONE} {TWO}").stderr
    assert again == f"{ONE} is a member already.\n{TWO} is a member already.\n"
    assert identities(aws_iot("admin members --json")) == [TWO, ONE]
    assert "6 to 8 minutes" in aws_iot(f"admin revoke {ONE} {TWO}").stderr
    assert cloud.members == set()
    listed = aws_iot("admin members")
    assert (listed.stdout, "No members yet" in listed.stderr) == ("", True)


def test_revoking_an_identity_that_is_not_a_member_is_an_error(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.other_identities = {TWO: ["other-member", "things"]}
    printed = aws_iot(f"admin revoke {ONE} {TWO}", ends=7).stderr
    assert f"{ONE} is not a member (policy fake-member): it has no policy" in printed
    assert f"{TWO} is not a member (policy fake-member): its policies are: other-member, things" in printed
    assert "Revoked" not in printed
    assert "is not a member" in aws_iot(f"admin revoke {ONE}", ends=7).stderr
    assert "cannot find it" in aws_iot(f"admin revoke {ONE} --policy fake-membre", ends=7).stderr


def test_each_line_of_a_hint_is_printed_if_one_of_several_fails(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.check_fails = Busy("AWS is throttling requests", hint="Wait a minute.\nTry again.")
    assert aws_iot(f"admin accept {ONE} {TWO}", ends=7).stderr.endswith("\nWait a minute.\nTry again.\n")


def test_an_identity_that_does_not_exist_is_skipped(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    del cloud.other_identities[ONE]
    printed = aws_iot(f"admin accept {ONE} {TWO}", ends=7).stderr
    assert f"Error: {ONE}: the identity {ONE} does not exist" in printed
    assert cloud.members == {TWO}


def test_a_mistyped_person_stops_the_command_and_nothing_is_changed(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    aws_iot(f"admin accept {ONE} {TWO}")
    printed = aws_iot(f"admin revoke {ONE} zzz {TWO}", ends=2).stderr
    assert printed.startswith(
        "Error: 'zzz' is not an identity, nor the user name of a member\nNothing was changed.\n"
    )
    assert cloud.members == {ONE, TWO}


def test_a_name_in_another_case_is_suggested_and_not_taken_for_the_same(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    aws_iot(f"admin accept {ONE} --user Bob")
    assert "Did you mean Bob?" in aws_iot("admin revoke bob", ends=2).stderr
    assert cloud.members == {ONE}


def test_who_is_accepted_without_a_name_can_be_named_later(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    walt = joined(cloud, "walt")
    printed = aws_iot(f"admin accept walter~{walt[10:18]}").stderr
    command = f"admin accept {walt[10:18]} --user NAME -k default"
    assert f"The user name is unknown. To add it: aws-iot {command}\n" in printed
    again = aws_iot(command.replace("NAME", "walt")).stderr
    assert again == f"{walt} is a member already, as walt.\n"
    assert cloud.records[walt].username == "walt"


def test_an_identity_that_lost_its_end_is_not_taken_for_a_beginning(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    printed = aws_iot(f"admin accept {ONE[:-1]}", ends=2).stderr
    assert f"'{ONE[:-1]}' is not a whole identity: it lacks 1 character at its end" in printed
    assert f"its first 8 digits: {ONE[10:18]}\n" in printed
    assert cloud.members == set()


@pytest.mark.parametrize("name", ["alice", "bartholomew"])
def test_identities_are_whole_in_80_columns(name: str) -> None:
    people = [Person(ONE, name, SINCE), Person(TWO, None, SINCE)]
    header, row, _ = people_layout("ACCEPTED", people, 80, numbered=True)
    assert ONE.removeprefix("us-east-1:") in row
    assert header.endswith("IDENTITY" if ONE in row else "IDENTITY (us-east-1:…)")
    assert not is_cut([row])
    assert is_cut(people_layout("ACCEPTED", people, 60, numbered=True))


def test_members_are_listed_as_json(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.members = {ONE}
    [shown] = [json.loads(line) for line in aws_iot("admin members --json").stdout.splitlines()]
    assert shown == {"identity": ONE, "name": None, "policy": "fake-member", "accepted": None}


def test_members_are_listed_with_name_and_date_the_latest_first(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.members.add(TWO)  # accepted when nothing was stored yet
    alice, bob = joined(cloud, "alice"), joined(cloud, "bob")
    aws_iot(f"admin accept {alice} --user alice")
    cloud.accepted_at += timedelta(days=1)
    aws_iot(f"admin accept {bob} --user bob")
    header, *rows = aws_iot("admin members").stdout.splitlines()
    assert header.split() == ["PERSON", "ACCEPTED", "IDENTITY"]
    shown = [(row.split()[0], row.split()[1], row.split()[-1]) for row in rows]
    assert shown == [
        (f"bob~{bob[10:18]}", f"{cloud.accepted_at.astimezone():%F}", bob),
        (f"alice~{alice[10:18]}", f"{cloud.accepted_at.astimezone() - timedelta(days=1):%F}", alice),
        (TWO[10:18], "-", TWO),
    ]
    [first, *_] = [json.loads(line) for line in aws_iot("admin members --json").stdout.splitlines()]
    assert (first["name"], first["accepted"]) == ("bob", "2026-11-27T12:00:00.000Z")


def test_a_member_who_is_signed_in_here_is_shown_with_the_user_name(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    alice = cloud.member("alice", "Passw0rd")
    cloud.members.add(ONE)
    aws_iot("login -u alice -p Passw0rd")
    shown = aws_iot("admin members").stdout
    assert f"alice~{alice[10:18]}" in shown
    assert f"\n{ONE[10:18]} " in shown


def test_the_name_of_a_person_who_is_signed_in_here_is_stored(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    alice = cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    assert f"{alice} is a member already, as alice.\n" in aws_iot(f"admin accept {alice}").stderr
    assert cloud.records[alice].username == "alice"


@pytest.mark.parametrize(
    "form", ["bob", "{identity}", "{identity[:20]}", "{uuid}", "{uuid[:4]}", "{uuid[:8]}", "bobby~{uuid[:8]}"]
)
def test_a_member_is_revoked_by_every_form_of_its_name(
    aws_iot: CommandLine, cloud: FakeCloud, form: str
) -> None:
    aws_iot(f"admin accept {ONE} --user alice")
    bob = joined(cloud, "bob")
    aws_iot(f"admin accept {bob} --user bob")
    given = {"{identity[:20]}": bob[:20], "{uuid}": bob[10:], "{uuid[:4]}": bob[10:14]}
    typed = given.get(form) or form.replace("{identity}", bob).replace("{uuid[:8]}", bob[10:18])
    assert f"Revoked {bob}" in aws_iot(f"admin revoke {typed}").stderr
    assert cloud.members == {ONE}
    assert set(cloud.records) == {ONE}


def test_several_people_are_accepted_by_short_identities(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    alice, bob = joined(cloud, "alice"), joined(cloud, "bob")
    aws_iot(f"admin accept {alice[10:18]} x~{bob[10:18]} {alice[10:20]}")
    assert cloud.members == {alice, bob}
    printed = aws_iot("admin revoke ffff --aws-profile 'at work'", ends=7).stderr
    assert "no identity of a member begins with 'ffff'\n" in printed
    assert "To list them: aws-iot admin members -k default --aws-profile 'at work'\n" in printed
    assert cloud.members == {alice, bob}


def test_what_can_be_several_people_changes_nothing_and_lists_them(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    twin = ONE[:-1] + "3"
    cloud.other_identities[twin] = []
    for identity in (ONE, twin):
        aws_iot(f"admin accept {identity} --user bob")
    for typed in ("bob", ONE[10:18], f"bob~{ONE[10:18]}"):
        printed = aws_iot(f"admin revoke {typed}", ends=7).stderr
        assert f"'{typed}' can be any of 2 people" in printed
        assert f"  {ONE}  bob\n" in printed
        assert f"  {twin}  bob\n" in printed
    assert cloud.members == {ONE, twin}


def test_all_requests_are_accepted_at_once(aws_iot: CommandLine, cloud: FakeCloud, app: FakeApp) -> None:
    app.controls.is_at_terminal = False
    alice, bob = joined(cloud, "alice"), joined(cloud, "bob")
    refused = aws_iot("admin accept all", ends=2).stderr
    assert "use --yes" in refused
    assert alice in refused
    assert cloud.members == set()
    aws_iot("admin accept all --yes")
    assert cloud.members == {alice, bob}
    assert "are accepted" in aws_iot("admin accept all").stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("admin accept", "Whom? Give identities, or `all`"),
        (f"admin accept {ONE} {TWO} --user bob", "--user names one person"),
    ],
)
def test_accept_needs_to_know_whom(
    aws_iot: CommandLine, cloud: FakeCloud, app: FakeApp, line: str, words: str
) -> None:
    app.controls.is_at_terminal = False
    assert words in aws_iot(line, ends=2).stderr
    assert cloud.members == set()


def test_without_the_permission_to_store_names_people_are_accepted_all_the_same(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.denied_permission = "iot:CreateThing"
    printed = aws_iot(f"admin accept {ONE} --user bob").stderr
    assert "The user name was not stored: your AWS credentials do not allow iot:CreateThing.\n" in printed
    assert cloud.members == {ONE}
    listed = aws_iot("admin members")
    assert ONE in listed.stdout
    assert "do not allow iot:ListThings" in listed.stderr
    assert "was not deleted" in aws_iot(f"admin revoke {ONE}").stderr
    assert cloud.members == set()


@pytest.mark.parametrize("command", ["accept", "revoke"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("nobody", "'nobody' is not an identity, nor the user name of a"),
        ("abc", "'abc' is not an identity, nor the user name of a"),
        ("bob~xyz", "'bob~xyz' is not an identity, nor the user name of a"),
        (ONE.upper(), f"it has no upper-case letters: {ONE}"),
        (f"\\'{ONE}\\'", f"remove the characters around it: {ONE}"),
        (f"{ONE},", f"remove the characters around it: {ONE}"),
        (f"{ONE}-worker", f"it is a client ID; the identity is {ONE}"),
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
    header, *lines = aws_iot("admin requests").stdout.splitlines()
    assert header.split("  ")[0] == "PERSON"
    assert [line.split()[-1] for line in lines] == [bob, alice]
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
