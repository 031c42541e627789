"""`aws-iot pub` with many messages: lines, files, repetitions, rejections, checkpoints and the spool."""

import json
import os
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from aws_iot.errors import (
    AwsIotError,
    LimitReached,
    NotAccepted,
    ProfileError,
    ServiceRefused,
    SignInRefused,
    TopicRefused,
    Unreachable,
)
from aws_iot.messaging.message import encode
from aws_iot.publishing.spool.store import Spool
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud, aws_iot: CommandLine) -> str:
    """Alice is a member, and signed in."""
    identity = cloud.member("alice", "Passw0rd")
    aws_iot("config -u alice")
    aws_iot("login -p Passw0rd")
    return identity


def payloads(cloud: FakeCloud) -> list[bytes]:
    return [payload for _, payload, _ in cloud.published]


def texts(cloud: FakeCloud) -> list[str]:
    return [json.loads(payload)["msg"] for payload in payloads(cloud)]


def test_each_line_is_a_message(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    done = aws_iot("pub -r lobby --lines", stdin="one\ntwo\r\n\n   \nthree")
    assert texts(cloud) == ["one", "two", "three"]
    assert "3 of 3 messages acknowledged" in done.stderr
    assert done.stdout == ""


def test_lines_can_come_from_a_file(aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("one\ntwo\n")
    aws_iot(f"pub -r lobby --lines --file {tmp_path}/big.txt")
    assert texts(cloud) == ["one", "two"]


def test_a_hyphen_as_file_means_standard_input(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby --file -", stdin="one\ntwo\n")
    aws_iot("pub -r lobby --raw --file -", stdin=b"\xff\n")
    aws_iot("pub -r lobby --lines --file -", stdin="three\nfour\n")
    assert payloads(cloud) == [encode("one\ntwo"), b"\xff\n", encode("three"), encode("four")]


def test_an_interval_does_not_delay_a_single_message(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby -m x --repeat 1 --interval 60")
    assert texts(cloud) == ["x"]


def test_a_line_that_cannot_be_sent_is_reported_and_the_rest_is_sent(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    lines = [b"one", b"\xff\xfe", b"x" * 200_000, b"y" * 3_000_000, b"two"]
    done = aws_iot("pub -r lobby --lines", stdin=b"\n".join(lines), ends=7)
    assert texts(cloud) == ["one", "two"]
    for words in ("Line 2 was not sent", "Line 3 was not sent", "Line 4 was not sent", "3 messages"):
        assert words in done.stderr
    assert "UTF-8" in done.stderr
    assert "131,072" in done.stderr


def test_only_the_first_rejections_are_printed(aws_iot: CommandLine) -> None:
    done = aws_iot("pub -r lobby --lines", stdin=b"\xff\n" * 500, ends=7)
    assert done.stderr.count("was not sent") == 20
    assert "500 messages were not sent" in done.stderr


def test_bytes_can_be_sent_unchanged(aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "reading.bin").write_bytes(b"\x00\xff\n")
    aws_iot(f"pub -r lobby --raw --file {tmp_path}/reading.bin")
    aws_iot("pub -r lobby --raw -m plain")
    aws_iot("pub -r lobby --raw -m -", stdin=b"\xff\n")
    aws_iot("pub -r lobby --raw --lines", stdin=b"\xff\nb\n")
    assert payloads(cloud) == [b"\x00\xff\n", b"plain", b"\xff\n", b"\xff", b"b"]


def test_lines_that_sub_printed_can_be_sent(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    lines = '{"room": "a/b", "text": "hi", "sender": "x"}\nnonsense\n[]\n{"room": "a", "text": 7}\n'
    done = aws_iot("pub --json-lines", stdin=lines, ends=7)
    assert [(topic, json.loads(payload)) for topic, payload, _ in cloud.published] == [
        (f"{POOL}/a/b/{identity}", {"msg": "hi"})
    ]
    assert "3 messages were not sent" in done.stderr
    aws_iot("pub --json-lines -r other", stdin='{"room": "a", "text": "hi"}')
    assert cloud.published[-1][0] == f"{POOL}/other/{identity}"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(TopicRefused("not authorized to publish"), 5), (ServiceRefused("no"), 7), (LimitReached("full"), 7)],
    ids=["not authorized", "rejected", "limit"],
)
@pytest.mark.parametrize(
    "line",
    [
        "pub -r lobby -m x",
        "pub -r lobby -m x --repeat 2",
        "pub -r lobby --lines",
        "pub -r lobby --lines --connections 2",
        "pub -r lobby --lines --resume {folder}/checkpoint",
        "pub -r lobby -m x --spool {folder}/spool",
        "pub -r lobby --lines --spool {folder}/spool",
    ],
)
def test_a_rejection_has_the_same_exit_code_for_one_message_and_for_a_stream(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path, line: str, refusal: AwsIotError, code: int
) -> None:
    cloud.refuses_payload, cloud.refusal = encode("x"), refusal
    done = aws_iot(line.format(folder=tmp_path), stdin="x\nx\n", ends=code)
    assert str(refusal) in done.stderr
    assert ("aws-iot doctor -r lobby -k default" in done.stderr) == (code == 5)


@pytest.mark.parametrize(
    ("refusal", "code"), [(TopicRefused("not authorized"), 5), (LimitReached("full"), 7)]
)
@pytest.mark.parametrize("spool", ["", " --spool {folder}/spool"])
def test_with_several_causes_a_missing_authorization_decides_the_exit_code(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path, spool: str, refusal: AwsIotError, code: int
) -> None:
    cloud.refuses_payload, cloud.refusal = encode("x"), refusal
    line = f"pub -r lobby --lines{spool.format(folder=tmp_path)}"
    done = aws_iot(line, stdin=b"\xff\nx\n" + b"y" * 200_000, ends=code)
    assert "3 messages were not sent" in done.stderr


def test_a_message_can_be_repeated(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby -m hello --repeat 3 --interval 0.01")
    assert texts(cloud) == ["hello"] * 3
    assert len({dict(properties)["id"] for _, _, properties in cloud.published}) == 3


def test_a_file_that_is_not_a_checkpoint_is_an_error(aws_iot: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("{")
    assert "note" in aws_iot(f"pub -r lobby --lines --resume {tmp_path}/note", ends=3).stderr


def test_the_next_run_continues_an_interrupted_one(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    def interrupt(connection: object) -> None:
        cloud.stop_after = 150

    app.controls.on_connect = interrupt
    lines = "".join(f"{number}\n" for number in range(400))
    line = f"pub -r lobby --lines --rate 0 --resume {tmp_path}/note"
    done = aws_iot(line, stdin=lines, ends=130)
    assert "Interrupted: 150 of 15" in done.stderr
    assert "To continue, run the same command again." in done.stderr
    cloud.stop_after = None
    app.controls.on_connect = lambda _: None
    assert f"Removed {tmp_path}/note." in aws_iot(line, stdin=lines).stderr
    assert list(dict.fromkeys(texts(cloud))) == [str(number) for number in range(400)]
    ids = {dict(properties)["id"] for _, _, properties in cloud.published}
    assert len(ids) == 400
    assert not (tmp_path / "note").exists()


def test_the_same_command_retries_rejected_messages_and_sends_nothing_twice(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    cloud.refuses_payload = encode("two")
    done = aws_iot(line, stdin="one\ntwo\nthree\n", ends=7)
    assert "Line 2 was not sent" in done.stderr
    assert (
        f"To retry the rejected messages, run the same command again: {tmp_path}/note lists them."
        in done.stderr
    )
    assert "Line 2 was not sent" in aws_iot(line, stdin="one\ntwo\nthree\n", ends=7).stderr
    assert texts(cloud) == ["one", "three"]
    cloud.refuses_payload = None
    assert "Removed" in aws_iot(line, stdin="one\ntwo\nthree\n").stderr
    assert texts(cloud) == ["one", "three", "two"]
    assert not (tmp_path / "note").exists()


def test_the_same_command_sends_a_line_that_was_corrected(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    for _ in range(2):
        assert "Line 1 was not sent" in aws_iot(line, stdin=b"\xff\ntwo\nthree\n", ends=7).stderr
    aws_iot(line, stdin="one\ntwo\nthree\n")
    assert texts(cloud) == ["two", "three", "one"]


def test_another_input_is_not_mistaken_for_a_corrected_line(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    aws_iot(line, stdin=b"\xff\ntwo\nthree\n", ends=7)
    assert "another input" in aws_iot(line, stdin="of another\nfile\naltogether\n", ends=3).stderr
    assert texts(cloud) == ["two", "three"]
    aws_iot(line, stdin="one\ntwo\nthree\n")
    assert texts(cloud) == ["two", "three", "one"]


def test_a_checkpoint_counts_blank_lines(aws_iot: CommandLine, tmp_path: Path) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    lines = b"\n" * 150 + b"\xff\n"
    aws_iot(line, stdin=lines, ends=7)
    saved = json.loads((tmp_path / "note").read_text())
    assert (saved["settled"], [number for number, _ in saved["refused"]]) == (151, [151])


def test_a_room_pattern_for_sub_does_not_matter_if_there_is_no_message(
    aws_iot: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_IOT_ROOM", "ops/#")
    aws_iot(f"pub --spool {tmp_path}/spool")


def test_a_single_message_is_saved_before_signing_in(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    aws_iot(f"pub -r lobby -m kept -p wrong --spool {spool}", ends=4)
    assert cloud.published == []
    aws_iot(f"pub --spool {spool}")
    assert [payload for _, payload, _ in cloud.published] == [b'{"msg":"kept"}']


def test_nobody_else_sends_a_user_s_saved_messages(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    aws_iot(f"pub -r lobby -m 'of bob' -u bob -p wrong --spool {spool}", ends=4)
    done = aws_iot(f"pub -r lobby -m 'of alice' --spool {spool}")
    assert f"{spool} also has 1 message from 'bob', which will stay there." in done.stderr
    assert texts(cloud) == ["of alice"]
    cloud.member("bob", "Passw0rd")
    aws_iot(f"pub -u bob -p Passw0rd --spool {spool}")
    assert texts(cloud) == ["of alice", "of bob"]


def test_without_a_connection_messages_are_saved_in_the_spool(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"

    def unplugged(_: object) -> None:
        raise Unreachable("cannot reach it")

    app.controls.on_connect = unplugged
    done = aws_iot(f"pub -r lobby --lines --spool {spool}", stdin="one\ntwo\n", ends=6)
    assert "Saved but not sent: 2 messages." in done.stderr
    assert f"aws-iot pub --spool {spool} -k default" in done.stderr
    aws_iot(f"pub -r ops -m three --spool {spool}", ends=6)
    app.controls.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert texts(cloud) == ["one", "two", "three"]
    aws_iot(f"pub -r lobby -m four --spool {spool}")
    assert texts(cloud) == ["one", "two", "three", "four"]
    assert {path.stat().st_mode & 0o77 for path in [spool, *spool.iterdir()]} == {0}


def test_messages_over_a_limit_stay_in_the_spool_and_rejected_ones_do_not(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    cloud.refuses_payload = encode("two")
    for refusal, left in ((LimitReached("a limit is reached"), ["two"]), (ServiceRefused("no"), [])):
        cloud.published.clear()
        cloud.refusal = refusal
        done = aws_iot(f"pub -r lobby --lines --spool {spool}", stdin="one\ntwo\nthree\n", ends=7)
        assert f"Line 2 was not sent: {refusal}" in done.stderr
        assert bool(left) == (
            f"Messages that exceeded a limit stay in {spool} for the next run." in done.stderr
        )
        cloud.refuses_payload = None
        aws_iot(f"pub --spool {spool}")
        assert texts(cloud) == ["one", "three", *left]
        cloud.refuses_payload = encode("two")


class OpenInput:
    """A file of lines that stays open until the test ends it."""

    def __init__(self, path: Path, *lines: str) -> None:
        os.mkfifo(path)
        self.path = path
        self._pipe = os.open(path, os.O_RDWR)
        os.write(self._pipe, "".join(f"{line}\n" for line in lines).encode())

    def end(self) -> None:
        """End the file. When this returns, everything has been read."""
        import fcntl
        import termios

        unread = array("i", [0])

        def is_read() -> bool:
            fcntl.ioctl(self._pipe, termios.FIONREAD, unread)
            return unread[0] == 0

        wait_until(is_read)
        os.close(self._pipe)


NUMBERS = [str(number) for number in range(1, 21)]
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs named pipes")


def at_attempts(app: FakeApp, *steps: Callable[[], None] | AwsIotError) -> None:
    """For each attempt to connect: an error, or a call before the connection is there. Pauses take no time."""
    happens = iter(steps)

    def connect(_: object) -> None:
        step = next(happens)
        if isinstance(step, AwsIotError):
            raise step
        step()

    app.controls.on_connect = connect
    app.controls.pause = lambda _: None


@POSIX
def test_saved_messages_are_sent_once_there_is_a_connection(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, offline = OpenInput(tmp_path / "lines", *NUMBERS), Unreachable("cannot reach it")
    at_attempts(app, offline, offline, lines.end)
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {tmp_path}/spool")
    assert "Connected. Sending the saved messages." in done.stderr
    assert "20 of 20 messages acknowledged" in done.stderr
    assert texts(cloud) == NUMBERS
    ids = [dict(properties)["id"] for _, _, properties in cloud.published]
    assert [message_id.rpartition("-")[2] for message_id in ids] == NUMBERS
    app.controls.on_connect = lambda _: None
    assert aws_iot(f"pub --spool {tmp_path}/spool").stderr == "No messages to send.\n"


@POSIX
def test_if_the_session_ends_while_reconnecting_all_messages_are_saved(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, spool = OpenInput(tmp_path / "lines", *NUMBERS), tmp_path / "spool"
    can_others_send: list[bool] = []

    def pause(_: float) -> None:
        with Spool(spool, POOL, "alice") as ours, ours.sending() as is_leader:
            can_others_send.append(is_leader)
        if can_others_send.count(True) == 1:
            lines.end()

    at_attempts(app, Unreachable("cannot reach it"), SignInRefused("the session has ended"))
    app.controls.pause = pause
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {spool}", ends=4)
    assert done.stderr.count(f"Messages are saved in {spool} for the next run.") == 1
    assert "Saved but not sent: 20 messages." in done.stderr
    assert can_others_send[-1]
    app.controls.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert texts(cloud) == NUMBERS


@POSIX
@pytest.mark.parametrize("option", ["", "-q"])
@pytest.mark.parametrize(("kind", "code"), [(SignInRefused, 4), (NotAccepted, 5)])
def test_if_a_person_is_needed_to_connect_the_whole_input_is_saved_and_it_says_so(
    aws_iot: CommandLine,
    app: FakeApp,
    cloud: FakeCloud,
    tmp_path: Path,
    kind: type[AwsIotError],
    code: int,
    option: str,
) -> None:
    error = kind("not you")
    lines, spool = OpenInput(tmp_path / "lines", *NUMBERS), tmp_path / "spool"
    at_attempts(app, error)
    ends = iter([lines.end])
    app.controls.pause = lambda _: next(ends, lambda: None)()
    done = aws_iot(f"pub {option} -r lobby --lines --file {lines.path} --spool {spool}", ends=code)
    assert f"{error}. Messages are saved in {spool} for the next run." in done.stderr
    assert done.stderr.splitlines()[-2:] == [
        f"Error: {error}",
        f"Saved but not sent: 20 messages. To send: aws-iot pub --spool {spool} -k default",
    ]
    app.controls.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert texts(cloud) == NUMBERS


@pytest.mark.parametrize("option", ["", "-q"])
def test_after_ctrl_c_it_tells_what_stays_in_the_spool(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path, option: str
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    app.controls.on_connect = interrupt
    done = aws_iot(f"pub {option} -r lobby -m x --spool {tmp_path}/spool", ends=130)
    assert "Saved but not sent: 1 message." in done.stderr


@POSIX
def test_a_password_from_standard_input_is_used_for_every_attempt(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines = OpenInput(tmp_path / "lines", *NUMBERS)
    at_attempts(app, Unreachable("cannot reach it"), lines.end)
    line = f"pub -r lobby --lines --file {lines.path} --spool {tmp_path}/spool --password-stdin"
    aws_iot(line, stdin="Passw0rd\n")
    assert texts(cloud) == NUMBERS


def test_the_printed_command_sends_the_saved_messages_of_a_named_user(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.member("bob", "Passw0rd")
    done = aws_iot(f"pub -r lobby -m x -u bob -p wrong --spool {tmp_path}/spool", ends=4)
    [hint] = [line for line in done.stderr.splitlines() if "Saved but not sent" in line]
    aws_iot(hint.partition("To send: aws-iot ")[2] + " -p Passw0rd")
    assert texts(cloud) == ["x"]


@POSIX
def test_an_error_that_ends_the_attempts_to_connect_leaves_the_saved_messages(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, spool = OpenInput(tmp_path / "lines", *NUMBERS), tmp_path / "spool"

    def pause_until_all_is_saved(_: float) -> None:
        with Spool(spool, POOL, "alice") as ours:
            wait_until(lambda: ours.count() == len(NUMBERS), ours.count)

    at_attempts(app, Unreachable("cannot reach it"), ProfileError("the stack was restarted"))
    app.controls.pause = pause_until_all_is_saved
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {spool}", ends=3)
    lines.end()
    assert "the stack was restarted" in done.stderr
    assert "Saved but not sent: 20 messages." in done.stderr
    app.controls.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert texts(cloud) == NUMBERS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pub -r lobby", "Nothing to send"),
        ("pub -r lobby --spool a", "Nothing to send"),
        ("pub -m x", "give -r ROOM"),
        ("pub --lines", "give -r ROOM"),
        ("pub -r lobby -m x --lines", "-m cannot be combined"),
        ("pub -r lobby --lines --json-lines", "--lines cannot be combined with --json-lines"),
        ("pub -r lobby --json-lines --raw", "--raw cannot be combined"),
        ("pub -r lobby --lines --repeat 2", "--repeat cannot be combined"),
        ("pub -r lobby -m x --interval 2", "--interval needs --repeat."),
        ("pub -r lobby --lines --interval 2", "--interval needs --repeat."),
        ("pub -r lobby -m x --file -", "-m cannot be combined"),
        ("pub -r lobby --file - --password-stdin", "cannot provide both"),
        ("pub -r lobby --lines --spool a --resume b", "--spool cannot be combined with --resume"),
        ("pub -r lobby --lines --password-stdin", "cannot provide both"),
        ("pub -r lobby -m x --connections 0", "--connections"),
        ("pub -r lobby -m x --resume a", "--resume needs --lines"),
        ("pub -r lobby -m x --spool a --qos 0", "--spool cannot be combined with --qos 0"),
        ("pub -r lobby --room ops -m x", "-r was given 2 times: give it once."),
        ("pub -r lobby -m x -my --msg=z", "-m was given 3 times: give it once."),
        ("pub -r lobby --file a --file b", "--file was given 2 times"),
        ("pub -r lobby -m x --rate -1", "--rate"),
    ],
)
def test_options_that_cannot_be_combined_are_an_error(aws_iot: CommandLine, line: str, words: str) -> None:
    assert words in aws_iot(line, ends=2).stderr


def test_a_line_with_an_invalid_room_is_reported_and_the_rest_is_sent(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines = "".join(json.dumps({"room": room, "text": "x"}) + "\n" for room in ("a", "a+b", "c"))
    for spool in ("", f"--spool {tmp_path}/spool"):
        cloud.published.clear()
        done = aws_iot(f"pub --json-lines {spool}", stdin=lines, ends=2)
        assert len(texts(cloud)) == 2
        assert "Line 2 was not sent" in done.stderr
    aws_iot(f"pub --spool {tmp_path}/spool")


def test_the_spool_keeps_how_to_send_a_message(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    def unplugged(_: object) -> None:
        raise Unreachable("cannot reach it")

    app.controls.on_connect = unplugged
    done = aws_iot(f"pub -r lobby -m x --retain --spool {tmp_path}/spool", ends=6)
    assert "Saved but not sent: 1 message." in done.stderr
    with Spool(tmp_path / "spool", POOL, "alice") as spool:
        assert [(message.qos, message.retain) for _, message in spool.unsent()] == [(1, True)]


def test_raw_lines_are_sent_unchanged(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby --raw --lines", stdin=b"a\r\n  \nb\n")
    assert payloads(cloud) == [b"a\r", b"  ", b"b"]


def test_another_input_is_an_error_and_leaves_the_checkpoint_unchanged(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    line = f"pub -r lobby --lines --rate 0 --resume {note}"
    cloud.stop_after = 7
    aws_iot(line, stdin="".join(f"{number}\n" for number in range(20)), ends=130)
    cloud.stop_after = None
    saved = note.read_text()
    assert json.loads(saved)["settled"] == 7
    for lines, error in (
        ("0\n1\n", "ends at line 2, but earlier runs reached line 7"),
        ("0\n1\n2\n3\n4\n5\n7\n", "is for another input, which differs in line 7 or before"),
        ("\n".join("001234567"), "is for another input, which differs in line 7 or before"),
    ):
        assert error in aws_iot(line, stdin=lines, ends=3).stderr
        assert note.read_text() == saved
    other = aws_iot(line.replace("lobby", "ops"), stdin="0\n", ends=3)
    assert f"{note}: this checkpoint is for the room 'lobby', not for the room 'ops'" in other.stderr
    assert "not for rooms that the lines name" in aws_iot(f"pub --json-lines --resume {note}", ends=3).stderr
    assert note.read_text() == saved
    assert len(cloud.published) == 7
    aws_iot(line, stdin="0\n1\n2\n3\n4\n5\n6\n7 that was changed\n")
    assert texts(cloud)[7:] == ["7 that was changed"]


def test_doctor_is_not_suggested_if_another_program_sends_nothing(
    aws_iot: CommandLine, tmp_path: Path
) -> None:
    with Spool(tmp_path / "spool", POOL, "alice") as other, other.sending():
        done = aws_iot(f"pub -r lobby -m x --spool {tmp_path}/spool --timeout 0.1", ends=6)
    assert "has sent nothing" in done.stderr
    assert "aws-iot doctor" not in done.stderr


@pytest.mark.parametrize(
    "line", ["pub -r lobby -m x", "pub -r lobby --lines", "pub -m x --spool {spool} -r a"]
)
def test_doctor_is_suggested_once_if_nothing_can_connect(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path, line: str
) -> None:
    app.controls.fails_with = Unreachable("cannot reach the broker")
    done = aws_iot(line.format(spool=tmp_path / "spool") + " -p Passw0rd", stdin="x\n", ends=6)
    assert done.stderr.count("aws-iot doctor -k default") == 1
