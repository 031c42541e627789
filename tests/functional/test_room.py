"""`aws-iot sub` and `aws-iot pub`."""

import json
import re
from datetime import UTC, datetime

import pytest

from aws_iot.errors import TopicRefused, Unreachable, WrongClock
from aws_iot.messaging.connection import Lost, Publication, Restored
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeConnection, arrive

ALICE = "-u alice -p Passw0rd"


@pytest.fixture
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def test_the_wire_format_is_that_of_the_npm_tool(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    aws_iot(f"pub -r myroom -m 'hello \"world\" ☂' {ALICE}")
    [(topic, payload, properties)] = cloud.published
    assert topic == f"{POOL}/myroom/{identity}"
    assert payload == '{"msg":"hello \\"world\\" ☂"}'.encode()
    assert [name for name, _ in properties] == ["id", "sent", "name"]
    assert dict(properties)["name"] == "alice"


def test_each_message_has_its_own_id(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    for _ in range(2):
        aws_iot(f"pub -r lobby -m hello {ALICE}")
    first, second = (dict(properties)["id"] for _, _, properties in cloud.published)
    assert first != second


def test_the_connection_is_closed_after_sending(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    aws_iot(f"pub -r lobby -m hello {ALICE}")
    assert [connection.closed for connection in cloud.connections] == [True]


def test_a_message_can_come_from_standard_input(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    aws_iot(f"pub -r lobby -m - {ALICE}", stdin="two\nlines\n")
    assert json.loads(cloud.published[0][1]) == {"msg": "two\nlines"}


def test_the_notice_of_the_npm_tool_goes_to_stderr(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    arrive(app)
    result = aws_iot(f"sub {ALICE}", ends=130)
    assert result.stderr.startswith(
        "authResult - group admins need to accept users with this info {\n"
        "  username: 'alice',\n"
        f"  identityId: '{identity}',\n"
        f"  identityPoolId: '{POOL}'\n"
        "}\n"
    )
    assert result.stdout == ""


def test_the_notice_is_not_repeated_once_the_identity_has_connected(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    cloud.members.clear()
    for _ in range(2):
        assert "authResult" in aws_iot(f"sub {ALICE}", ends=5).stderr
    cloud.members.add(identity)
    arrive(app)
    assert "authResult" in aws_iot(f"sub {ALICE}", ends=130).stderr
    assert "authResult" not in aws_iot(f"sub {ALICE}", ends=130).stderr
    assert "authResult" in aws_iot(f"sub {ALICE} -v", ends=130).stderr


def test_a_removed_profile_leaves_no_record_of_who_has_connected(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    arrive(app)
    aws_iot(f"sub {ALICE}", ends=130)
    assert app.auth.sessions.has_connected("default", identity)
    aws_iot("config remove -k default")
    assert not app.auth.sessions.has_connected("default", identity)


def test_another_identity_gets_the_notice_of_its_own(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    cloud.member("bob", "Passw0rd-of-bob")
    arrive(app)
    for line in (ALICE, "-u bob -p Passw0rd-of-bob"):
        assert "authResult" in aws_iot(f"sub {line}", ends=130).stderr
        assert "authResult" not in aws_iot(f"sub {line}", ends=130).stderr


def test_a_message_is_printed_with_time_room_sender_and_text(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    sender = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
    arrive(app, Publication(f"{POOL}/lobby/{sender}", b'{"msg":"hi"}', (("name", "bob"),)))
    line = aws_iot(f"sub {ALICE}", ends=130).stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[lobby\] bob~4f9fa251: hi\n", line)


def test_with_json_a_message_is_one_object_on_one_line(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    app.controls.now = lambda: datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
    properties = (("id", "1"), ("sent", "2026-01-02T03:04:05.000Z"), ("name", "bob"))
    arrive(app, Publication(f"{POOL}/a/b/us-east-1:4f9f", '{"msg":"hi\u202e"}'.encode(), properties))
    line = aws_iot(f"sub --json {ALICE}", ends=130).stdout
    assert line.isascii()
    assert json.loads(line) == {
        "received": "2026-01-02T03:04:05.678Z",
        "room": "a/b",
        "sender": "us-east-1:4f9f",
        "name": "bob",
        "text": "hi\u202e",
        "id": "1",
        "sent": "2026-01-02T03:04:05.000Z",
        "qos": 1,
        "retained": False,
    }


def test_a_session_that_cannot_be_saved_stops_no_message(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    cloud.member("alice", "Passw0rd")
    app.settings.folders.sessions.mkdir(parents=True)
    (app.settings.folders.sessions / "writing").write_text(
        ""
    )  # as a folder that cannot be written, or is full
    env = {"AWS_IOT_USER": "alice", "AWS_IOT_PASSWORD": "Passw0rd"}
    sent = aws_iot("pub -r lobby -m hello", env=env)
    assert "The session was not saved: " in sent.stderr
    assert "Sent to lobby." in sent.stderr
    assert "cannot be locked" in aws_iot("login", env=env, ends=3).stderr


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b'{"msg":{"a":1}}',
        b"[" * 50_000,
        b"\x1b]0;owned\x07",
        b'{"msg":null}',
    ],
)
def test_every_payload_is_printed_and_so_is_the_next_message(
    aws_iot: CommandLine, app: FakeApp, identity: str, payload: bytes
) -> None:
    arrive(app, Publication(f"{POOL}/lobby/x", payload), Publication(f"{POOL}/lobby/x", b'{"msg":"next"}'))
    output = aws_iot(f"sub {ALICE}", ends=130).stdout
    assert output.count("\n") == 2
    assert output.endswith("next\n")
    assert "\x1b" not in output
    assert "\x07" not in output


def test_a_message_that_is_delivered_twice_is_printed_once(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    delivery = Publication(f"{POOL}/lobby/x", b'{"msg":"hi"}', (("id", "1"),))
    arrive(app, delivery, delivery)
    assert aws_iot(f"sub {ALICE}", ends=130).stdout.count("hi") == 1


def test_a_lost_connection_is_reported_on_stderr(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    arrive(app, Lost("keep alive timeout"), Restored())
    result = aws_iot(f"sub {ALICE}", ends=130)
    assert "connection lost: keep alive timeout" in result.stderr
    assert "connection restored" in result.stderr
    assert result.stdout == ""


def test_a_repeated_failure_is_reported_once_and_each_time_with_verbose(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    gone: list[Lost | Restored] = [
        Lost("nothing listens", "REFUSED"),
        Lost("nothing listens", "REFUSED", again=True),
        Restored(),
    ]
    arrive(app, *gone)
    assert aws_iot(f"sub {ALICE}", ends=130).stderr.count("nothing listens") == 1
    arrive(app, *gone)
    assert aws_iot(f"sub {ALICE} -v", ends=130).stderr.count("nothing listens; reconnecting (REFUSED)") == 2


def test_sub_ends_when_the_connection_ends(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    arrive(app, Unreachable("another program took over this connection's client id"))
    assert "took over" in aws_iot(f"sub {ALICE}", ends=6).stderr


def test_sub_receives_only_from_the_named_rooms(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    def others_speak(connection: FakeConnection) -> None:
        def speak() -> None:
            for room in ("a", "b", "c"):
                cloud.deliver(f"{POOL}/{room}/x", b'{"msg":"in %s"}' % room.encode())
            connection.events.put(KeyboardInterrupt())

        connection.on_subscribed = speak

    app.controls.on_connect = others_speak
    output = aws_iot(f"sub -r a -r c {ALICE}", ends=130).stdout
    assert re.findall(r"in (.)", output) == ["a", "c"]


def test_a_user_who_is_not_accepted_gets_the_command_for_the_admin(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    identity = cloud.member("alice", "Passw0rd")
    cloud.members.clear()
    result = aws_iot(f"sub {ALICE}", ends=5)
    assert identity in result.stderr
    aws_iot(f"admin accept {identity}")
    assert cloud.members == {identity}


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("pub -m hello", 2, "give -r ROOM"),
        ("pub -r lobby", 2, "give -m TEXT"),
        ("pub -r '' -m hello", 2, "it is empty. Is a shell variable unset?"),
        ("pub -r a+b -m hello", 2, "wildcard"),
        ("pub -r 'a\tb' -m hello", 2, "MQTT forbids"),
        ("sub -r 'a\ufffeb'", 2, "MQTT forbids"),
        ("pub -r lobby -m x --timeout nan", 2, "not a number"),
        ("pub -r lobby -m x --timeout 1e12", 2, "from 0.1 to 3,600"),
        ("pub -r lobby -m x -u alice -p 'a\udcff'", 2, "not valid UTF-8"),
        ("pub -r a/b/c/d/e/f/g -m hello", 2, "slashes"),
        pytest.param(
            "pub -r " + "x" * 300 + " -m hello", 2, "is 300 bytes long, and can have ", id="long room"
        ),
        pytest.param("pub -r lobby -m " + "x" * 131_063, 7, "131,072", id="long message"),
        ("pub -r lobby -m - --password-stdin", 2, "cannot provide both"),
        ("sub -r 'a/b+'", 2, "stand for whole levels"),
        ("sub -r '#/a'", 2, "can only be last"),
        ("pub -r lobby -m hello -u alice -p wrong", 4, "wrong user name or password"),
        ("pub -r lobby -m hello -u nobody -p wrong", 4, "no such user"),
        ("pub -r lobby -m hello -u alice", 4, "AWS_IOT_PASSWORD"),
        ("pub -r lobby -m hello", 4, "aws-iot login -u USER -k default"),
        ("pub -r lobby -m hello -k nope", 3, "aws-iot init -k nope"),
    ],
)
def test_a_mistake_is_reported_in_one_line(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str, line: str, code: int, words: str
) -> None:
    result = aws_iot(line, ends=code)
    assert words in result.stderr
    assert result.stdout == ""
    assert cloud.published == []


@pytest.mark.parametrize("line", ["sub -r 'ops#' -r '/x'", "pub -r 'ops#' -m hello -u nobody"])
def test_an_impossible_room_is_an_error_with_the_right_command_before_signing_in(
    aws_iot: CommandLine, app: FakeApp, line: str
) -> None:
    app.controls.fails_with = AssertionError("signed in")  # type: ignore[assignment]
    told = aws_iot(line, ends=2).stderr.splitlines()
    command = "sub -r 'ops/#' -r x" if line.startswith("sub") else "pub -r ops -m hello"
    assert told[1:] == [f"Did you mean: aws-iot {command}"]


def test_a_room_that_is_probably_a_mistake_is_used_after_a_warning(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    sent = aws_iot(f"pub -r /lobby,ops -m 'hello you' {ALICE}").stderr.splitlines()
    assert sent == [
        "The room '/lobby,ops' is probably a mistake: a comma does not separate rooms.",
        "Did you mean: aws-iot pub -r lobby -m 'hello you' && aws-iot pub -r ops -m 'hello you'",
        "Sent to /lobby,ops.",
    ]
    assert [topic.split("/", 1)[1] for topic, *_ in cloud.published] == [f"/lobby,ops/{identity}"]
    received = aws_iot(f"sub -r 'ops*' -r dev -W 0.01 {ALICE} -k default", ends=8).stderr.splitlines()
    assert received[:2] == [
        "The room 'ops*' is probably a mistake: '*' is not a wildcard; '+' and '#' are.",
        "Did you mean: aws-iot sub -r 'ops/#' -r dev -k default -W 0.01",
    ]
    assert "Receiving from ops*, dev; Ctrl-C stops." in received


def test_a_message_that_is_not_text_is_rejected(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    assert "not valid UTF-8" in aws_iot(f"pub -r lobby -m - {ALICE}", ends=7, stdin=b"\xff").stderr
    assert cloud.published == []


@pytest.mark.parametrize(
    ("failure", "code"),
    [(WrongClock("60 minutes fast"), 6), (TopicRefused("no", hint="Ask \x1b[31man admin."), 5)],
)
def test_a_failure_is_reported_with_its_hint_and_exit_code(
    aws_iot: CommandLine, app: FakeApp, failure: Unreachable, code: int
) -> None:
    app.controls.fails_with = failure
    result = aws_iot(f"pub -r lobby -m hello {ALICE}", ends=code)
    assert result.stderr.startswith(f"Error: {failure}")
    assert "\x1b" not in result.stderr


def test_the_preset_password_is_used_only_for_the_preset_user(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    cloud.member("bob", "Passw0rd")
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("pub -r lobby -m hello")
    aws_iot("pub -r lobby -m hello -u bob", ends=4)
    assert len(cloud.published) == 1


def test_a_password_is_never_printed(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    for line, code in (("pub -r lobby -m hello -u alice -p hunter2", 4), ("sub -u nobody -p hunter2", 4)):
        assert "hunter2" not in aws_iot(line, ends=code).output


def test_quiet_prints_only_errors(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    arrive(app, Publication(f"{POOL}/lobby/x", b'{"msg":"hi"}'), Lost("x"), Restored())
    result = aws_iot(f"sub -q {ALICE}", ends=130)
    assert result.stderr == ""
    assert result.stdout.endswith("hi\n")
    assert aws_iot(f"pub -q -r lobby -m hello {ALICE}").output == ""
