"""`aws-iot sub` for scripts: which messages it receives, how it prints them, when it stops and acknowledges."""

import base64
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aws_iot.errors import Unreachable
from aws_iot.messaging.connection import Lost, Publication, Restored
from aws_iot.messaging.json_lines import from_line
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeConnection, arrive

ALICE = "-u alice -p Passw0rd"
BOB = "us-east-1:b0b00000-0000-0000-0000-000000000002"
CAROL = "us-east-1:ca401000-0000-0000-0000-000000000003"
POSIX = pytest.mark.skipif(os.name == "nt", reason="runs sh")


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def publication(text: str, sender: str = BOB, room: str = "lobby", message_id: str = "") -> Publication:
    properties = (("id", message_id),) if message_id else ()
    return Publication(f"{POOL}/{room}/{sender}", json.dumps({"msg": text}).encode(), properties)


def texts(lines: str) -> list[str]:
    return [json.loads(line)["text"] for line in lines.splitlines()]


# -- which messages


def test_senders_are_selected_by_identity_or_its_start(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(
        app,
        publication("1", BOB),
        publication("2", CAROL),
        publication("3", "device-7"),
        publication("4", CAROL),
    )
    assert texts(aws_iot(f"sub --json --from {BOB} {ALICE}", ends=130).stdout) == ["1"]
    assert texts(aws_iot(f"sub --json --from ca401000 {ALICE}", ends=130).stdout) == ["2", "4"]
    assert texts(aws_iot(f"sub --json --from caro~ca401000 {ALICE}", ends=130).stdout) == ["2", "4"]
    both = aws_iot(f"sub --json --from b0b00000 --from {CAROL} {ALICE}", ends=130).stdout
    assert texts(both) == ["1", "2", "4"]


def test_your_own_messages_can_be_skipped(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    arrive(app, publication("mine", identity), publication("theirs"))
    assert texts(aws_iot(f"sub --json --not-from-me {ALICE}", ends=130).stdout) == ["theirs"]


def test_rooms_can_be_patterns(aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud) -> None:
    def others_speak(connection: FakeConnection) -> None:
        def speak() -> None:
            for room in ("ops", "ops/db", "ops/db/log", "lobby", "opsx"):
                cloud.deliver(f"{POOL}/{room}/{BOB}", room.encode())
            connection.events.put(KeyboardInterrupt())

        connection.on_subscribed = speak

    app.controls.on_connect = others_speak
    assert texts(aws_iot(f"sub --json -r 'ops/+' {ALICE}", ends=130).stdout) == ["ops/db"]
    assert texts(aws_iot(f"sub --json -r 'ops/#' {ALICE}", ends=130).stdout) == [
        "ops",
        "ops/db",
        "ops/db/log",
    ]
    both = aws_iot(f"sub --json -r 'ops/+' -r lobby {ALICE}", ends=130)
    assert texts(both.stdout) == ["ops/db", "lobby"]
    assert "Receiving from ops/+, lobby;" in both.stderr


# -- when it stops


def test_it_stops_after_count_messages_and_acknowledges_exactly_those(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    arrive(
        app, Lost("x"), Restored(3.2), publication("1"), publication("2"), publication("3"), publication("4")
    )
    result = aws_iot(f"sub --json -C 3 {ALICE}")
    assert texts(result.stdout) == ["1", "2", "3"]
    assert "connection restored after 3.2 s" in result.stderr
    [connection] = cloud.connections
    assert connection.acknowledged == 3
    assert connection.closed


def test_skipped_and_repeated_messages_do_not_count(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    arrive(
        app,
        publication("mine", identity),
        publication("1", message_id="a"),
        publication("1", message_id="a"),
        publication("2"),
    )
    assert texts(aws_iot(f"sub --json -C 2 --not-from-me {ALICE}").stdout) == ["1", "2"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-W 0.5", "no message arrived within 0.5 seconds"),
        ("-W 0.5 -C 1 --from ca401000", "no message arrived within 0.5 seconds"),
        ("-W 0.5 -C 5", "1 of 5 messages arrived within 0.5 seconds"),
    ],
)
def test_if_too_few_messages_arrive_in_time_it_exits_with_8(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, options: str, reason: str
) -> None:
    if "-C" in options:
        app.controls.on_connect = lambda connection: connection.events.put(publication("hi"))
    result = aws_iot(f"sub {options} {ALICE}", ends=8)
    assert reason in result.stderr
    assert result.stdout.count("hi") == ("of 5" in reason)
    [connection] = cloud.connections
    assert connection.acknowledged == ("-C" in options)


def test_if_a_message_arrived_in_time_it_exits_with_0(aws_iot: CommandLine, app: FakeApp) -> None:
    app.controls.on_connect = lambda connection: connection.events.put(publication("hi"))
    assert "hi" in aws_iot(f"sub -W 0.5 {ALICE}").stdout


# -- when it acknowledges


def test_a_message_is_acknowledged_only_once_its_line_is_written(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    written: list[str] = []

    def watch(connection: FakeConnection) -> None:
        def look() -> None:
            assert isinstance(sys.stdout.buffer, io.BytesIO)  # as Click's runner has it
            written.append(sys.stdout.buffer.getvalue().decode())

        connection.on_acknowledge = look
        for number in range(120):
            connection.events.put(publication(str(number)))
        connection.events.put(KeyboardInterrupt())

    app.controls.on_connect = watch
    output = aws_iot(f"sub --json {ALICE}", ends=130).stdout
    assert texts(output) == [str(number) for number in range(120)]
    assert [len(lines.splitlines()) for lines in written] == [50, 100]
    # Ctrl-C came while 20 were still to be written: they are, and would be delivered again.
    assert cloud.connections[0].acknowledged == 100


@pytest.mark.parametrize("end", [KeyboardInterrupt(), Unreachable("gone")])
def test_messages_that_arrived_before_the_end_are_printed(
    aws_iot: CommandLine, app: FakeApp, end: BaseException
) -> None:
    arrive(app, publication("1"), publication("2"), end)
    output = aws_iot(f"sub --json {ALICE}", ends=130 if isinstance(end, KeyboardInterrupt) else 6).stdout
    assert texts(output) == ["1", "2"]


# -- how it prints


def test_messages_are_printed_by_a_template(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(app, publication("hi\x1b[2J\nthere", room="ops"))
    output = aws_iot(rf"sub --format '{{room:>5}}|{{short}}\t{{text}}' {ALICE}", ends=130).stdout
    assert output == "  ops|b0b00000\thi\\x1b[2J\\nthere\n"


def test_raw_is_the_payload_and_a_line_break(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(app, Publication(f"{POOL}/lobby/{BOB}", b"\xff\x1b\n\0"), Publication(f"{POOL}/lobby/{BOB}", b""))
    assert aws_iot(f"sub --raw {ALICE}", ends=130).stdout_bytes == b"\xff\x1b\n\0\n\n"


HOSTILE = [
    b"",
    b"null",
    b"[]",
    b"42",
    b"\xff\xfe\x00",
    b"{",
    b'{"msg":null}',
    b'{"msg":{"deep":' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    b"[" * 10_000,
    b"x" * 128 * 1024,
    b'{"msg":"' + b"\xc3\xa9" * 60_000 + b'"}',
    b"\x1b]0;owned\x07\x9b2J",
    b'{"msg":"\\ud800\\u0000\\u001b[2J\\u2028"}',
    "\u202e\u2066".encode(),
    b'{"msg":"\xed\xa0\x80"}',
    b'{"msg":' + b"9" * 10_000 + b"}",
]
FORMS = ["", "--json", "--raw", "--format '{time} {raw} {name} {text}'"]


@pytest.mark.parametrize("form", FORMS)
def test_no_payload_stops_it(aws_iot: CommandLine, app: FakeApp, form: str) -> None:
    everywhere = (
        ("name", "\x1b[2J\n\0"),
        ("sent", "\0"),
        ("sent", "0001-01-01T00:00:00+23:59"),
    )
    arrive(
        app,
        *(
            Publication(f"{POOL}/lo\x9bbby/{BOB}", payload, everywhere[:n])
            for payload in HOSTILE
            for n in (0, 1, 3)
        ),
    )
    output = aws_iot(f"sub {form} {ALICE}", ends=130).stdout_bytes
    if form != "--raw":
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xae]", output)
    if form == "--json":
        assert [from_line(line).payload for line in output.splitlines()[::3]] == HOSTILE


def test_json_contains_a_payload_that_is_not_text(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(app, Publication(f"{POOL}/lobby/{BOB}", b"\xff", qos=0, retain=True))
    read = json.loads(aws_iot(f"sub --json {ALICE}", ends=130).stdout)
    assert base64.b64decode(read["payload_base64"]) == b"\xff"
    assert (read["qos"], read["retained"], read["text"]) == (0, True, "\ufffd")


def test_received_messages_can_be_sent_again_byte_for_byte(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    arrive(app, *(Publication(f"{POOL}/lobby/{BOB}", payload) for payload in HOSTILE))
    lines = aws_iot(f"sub --json {ALICE}", ends=130).stdout_bytes
    app.controls.on_connect = lambda _: None
    aws_iot(f"pub --json-lines --rate 0 {ALICE}", stdin=lines)
    assert [payload for _, payload, _ in cloud.published] == HOSTILE


# -- a command for each message


@POSIX
def test_a_command_runs_for_each_message(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\necho "$1 $AWS_IOT_MESSAGE_ROOM $(cat)" >> "$0.out"\n')
    script.chmod(0o755)
    arrive(app, publication("$(touch x); one"), publication("two", room="ops"))
    result = aws_iot(f"sub --exec \"{script} 'a; b'\" -C 2 {ALICE}")
    assert result.stdout == ""
    assert script.with_suffix(".out").read_text().splitlines() == [
        "a; b lobby $(touch x); one",
        "a; b ops two",
    ]
    assert cloud.connections[0].acknowledged == 2


@POSIX
@pytest.mark.parametrize("jobs", [1, 3])
def test_failed_commands_are_reported_even_with_quiet_and_the_exit_code_is_9(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, jobs: int
) -> None:
    arrive(app, publication("0"), publication("7"), publication("0"))
    result = aws_iot(
        f"sub -q -C 3 --exec-jobs {jobs} --exec 'sh -c \"exit $AWS_IOT_MESSAGE_TEXT\"' {ALICE}", ends=9
    )
    assert "sh exited with 7" in result.stderr
    assert "1 of 3 commands failed" in result.stderr
    assert cloud.connections[0].acknowledged == 3


@POSIX
def test_a_message_is_acknowledged_as_soon_as_its_command_has_ended(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    ended: list[int] = []

    def watch(connection: FakeConnection) -> None:
        def look() -> None:
            ended.append(len((tmp_path / "out").read_text().split()))

        connection.on_acknowledge = look
        for number in range(5):
            connection.events.put(publication(str(number)))

    app.controls.on_connect = watch
    aws_iot(f"sub -C 5 --exec 'sh -c \"echo x >> {tmp_path}/out\"' {ALICE}")
    assert ended == [1, 2, 3, 4, 5]
    assert cloud.connections[0].acknowledged == 5


@POSIX
@pytest.mark.parametrize(
    ("options", "ends", "reason"),
    [
        ("", 9, "1 of 2 commands failed"),
        ("-C 2", 9, "1 of 2 commands failed"),
        ("-C 5", 8, "2 of 5 messages arrived within 2 seconds"),
        ("--exec-jobs 2", 9, "1 of 3 commands failed"),
    ],
)
def test_the_time_limit_also_stops_a_running_command(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, options: str, ends: int, reason: str
) -> None:
    def put(connection: FakeConnection) -> None:
        for text in ("0", "9999", "0"):
            connection.events.put(publication(text))

    app.controls.on_connect = put
    line = f"sub -q -W 2 {options} --exec 'sh -c \"exec sleep $AWS_IOT_MESSAGE_TEXT\"' {ALICE}"
    errors = aws_iot(line, ends=ends).stderr
    assert "sh was stopped: the time is up" in errors
    assert reason in errors
    assert cloud.connections[0].acknowledged == 1  # the broker delivers the others again in a durable session


@contextmanager
def no_more_open_files() -> Iterator[None]:
    """This process cannot open another file, as if it had too many open."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unused = os.dup(0)
    os.close(unused)
    resource.setrlimit(resource.RLIMIT_NOFILE, (unused, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@POSIX
def test_a_message_that_cannot_be_passed_to_a_command_is_not_acknowledged_and_stops_it(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    tempfile.gettempdir()  # found once, by opening files
    with ExitStack() as shortage:

        def put(connection: FakeConnection) -> None:
            connection.events.put(publication("1"))
            shortage.enter_context(no_more_open_files())

        app.controls.on_connect = put
        result = aws_iot(f"sub -q --exec '{sys.executable} -c pass' {ALICE}", ends=9)
    assert f"cannot pass a message to {sys.executable}: Too many open files" in result.stderr
    assert cloud.connections[0].acknowledged == 0


# -- durable sessions, and waiting for an admin


def test_a_durable_session_has_the_given_name(aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud) -> None:
    arrive(app)
    for options in ("", "--durable desk-1"):
        aws_iot(f"sub {options} {ALICE}", ends=130)
    assert [connection.durable for connection in cloud.connections] == [None, "desk-1"]


def test_it_warns_if_the_broker_has_discarded_a_durable_session(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    arrive(app)
    reason = "The broker has discarded the session 'desk': messages may be missing."
    for _ in range(2):
        assert reason not in aws_iot(f"sub -r lobby --durable desk {ALICE}", ends=130).stderr
    cloud.sessions.clear()
    assert reason in aws_iot(f"sub -r lobby --durable desk {ALICE}", ends=130).stderr
    assert reason not in aws_iot(f"sub -r lobby --durable chair {ALICE}", ends=130).stderr


def test_waiting_for_an_admin_is_reported_once_and_ends_when_one_has_accepted(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    cloud.members.clear()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            cloud.members.add(identity)

    app.controls.pause = pause
    arrive(app, publication("hi"))
    result = aws_iot(f"sub --wait {ALICE}", ends=130)
    assert "hi" in result.stdout
    assert result.stderr.count(f"no admin has accepted the identity {identity} yet") == 1
    assert result.stderr.count("Waiting until an admin accepts it") == 1
    assert "Receiving" in result.stderr
    assert pauses[0] == 5
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30


def test_a_time_limit_ends_the_wait(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.members.clear()
    result = aws_iot(f"sub --wait -W 0.2 {ALICE}", ends=8)
    reason = "Error: no admin has accepted the identity within 0.2 seconds"
    assert result.stderr.endswith(f"{reason}\nAn admin accepts it.\n")
    assert "Receiving" not in result.stderr


def test_ctrl_c_ends_the_wait(aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud) -> None:
    cloud.members.clear()

    def pause(_: float) -> None:
        raise KeyboardInterrupt

    app.controls.pause = pause
    assert "Waiting" in aws_iot(f"sub --wait {ALICE}", ends=130).stderr


def test_it_does_not_wait_for_other_errors_to_go_away(aws_iot: CommandLine, app: FakeApp) -> None:
    app.controls.fails_with = Unreachable("no way")
    assert "no way" in aws_iot(f"sub --wait {ALICE}", ends=6).stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--from bob", "'bob' is not an identity"),
        ("--from ''", "it is empty"),
        ("--from ca40100", "at least the 8 characters after ~"),
        ("-C 0", "of at least 1"),
        ("-C x", "'x' is not a whole number of at least 1"),
        ("-W 0", "a number above 0"),
        ("-W nan", "not a number"),
        ("--format '{nope}'", "there is no field 'nope'; the fields are time, received, sent, room"),
        ("--format '{text'", "does not belong to a field"),
        ("--json --raw", "exclude each other"),
        ("--format x --exec true", "exclude each other"),
        ("--exec ''", "it is empty"),
        ("--exec 'no-such-command-here x'", "there is no command 'no-such-command-here'"),
        ('--exec "\'"', "No closing quotation"),
        ("--exec-jobs 0", "from 1 to 100"),
        ("--exec true --exec true", "--exec was given 2 times: give it once."),
        ("--durable a/b", "use 1 to 32 letters"),
        ("--durable " + "a" * 33, "use 1 to 32 letters"),
    ],
)
def test_a_usage_error_is_reported_before_it_connects(
    aws_iot: CommandLine, cloud: FakeCloud, options: str, reason: str
) -> None:
    result = aws_iot(f"sub {options} {ALICE}", ends=2)
    assert reason in result.stderr
    assert cloud.connections == []
