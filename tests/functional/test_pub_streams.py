"""`aws-iot pub` with many messages: lines, files, repetitions; what is refused; going on later."""

import json
import os
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from aws_iot.errors import AwsIotError, LimitReached, NotAccepted, ServiceRefused, SignInRefused, Unreachable
from aws_iot.messaging.message import encode
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


def said(cloud: FakeCloud) -> list[str]:
    return [json.loads(payload)["msg"] for payload in payloads(cloud)]


def test_each_line_is_a_message(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    done = aws_iot("pub -r lobby --lines", stdin="one\ntwo\r\n\n   \nthree")
    assert said(cloud) == ["one", "two", "three"]
    assert "3 of 3 messages acknowledged" in done.stderr
    assert done.stdout == ""


def test_lines_can_be_those_of_a_file(aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("one\ntwo\n")
    aws_iot(f"pub -r lobby --lines --file {tmp_path}/big.txt")
    assert said(cloud) == ["one", "two"]


def test_a_file_that_is_a_hyphen_is_standard_input(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby --file -", stdin="one\ntwo\n")
    aws_iot("pub -r lobby --raw --file -", stdin=b"\xff\n")
    aws_iot("pub -r lobby --lines --file -", stdin="three\nfour\n")
    assert payloads(cloud) == [encode("one\ntwo"), b"\xff\n", encode("three"), encode("four")]


def test_an_interval_may_stand_beside_a_single_time(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby -m x --repeat 1 --interval 60")
    assert said(cloud) == ["x"]


def test_a_line_that_cannot_be_sent_is_named_and_the_rest_is_sent(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    lines = [b"one", b"\xff\xfe", b"x" * 200_000, b"y" * 3_000_000, b"two"]
    done = aws_iot("pub -r lobby --lines", stdin=b"\n".join(lines), ends=7)
    assert said(cloud) == ["one", "two"]
    for words in ("Line 2 is not sent", "Line 3 is not sent", "Line 4 is not sent", "3 messages"):
        assert words in done.stderr
    assert "UTF-8" in done.stderr
    assert "131,072" in done.stderr


def test_however_many_are_refused_only_some_are_named(aws_iot: CommandLine) -> None:
    done = aws_iot("pub -r lobby --lines", stdin=b"\xff\n" * 500, ends=7)
    assert done.stderr.count("is not sent") == 20
    assert "500 messages not sent" in done.stderr


def test_bytes_can_be_sent_as_they_are(aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "reading.bin").write_bytes(b"\x00\xff\n")
    aws_iot(f"pub -r lobby --raw --file {tmp_path}/reading.bin")
    aws_iot("pub -r lobby --raw -m plain")
    aws_iot("pub -r lobby --raw -m -", stdin=b"\xff\n")
    aws_iot("pub -r lobby --raw --lines", stdin=b"\xff\nb\n")
    assert payloads(cloud) == [b"\x00\xff\n", b"plain", b"\xff\n", b"\xff", b"b"]


def test_lines_of_sub_can_be_said_again(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    lines = '{"room": "a/b", "text": "hi", "sender": "x"}\nnonsense\n[]\n{"room": "a", "text": 7}\n'
    done = aws_iot("pub --json-lines", stdin=lines, ends=7)
    assert [(topic, json.loads(payload)) for topic, payload, _ in cloud.published] == [
        (f"{POOL}/a/b/{identity}", {"msg": "hi"})
    ]
    assert "3 messages not sent" in done.stderr
    aws_iot("pub --json-lines -r other", stdin='{"room": "a", "text": "hi"}')
    assert cloud.published[-1][0] == f"{POOL}/other/{identity}"


def test_the_same_can_be_said_several_times(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby -m hello --repeat 3 --interval 0.01")
    assert said(cloud) == ["hello"] * 3
    assert len({dict(properties)["id"] for _, _, properties in cloud.published}) == 3


def test_what_cannot_be_resumed_is_told(aws_iot: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("{")
    assert "note" in aws_iot(f"pub -r lobby --lines --resume {tmp_path}/note", ends=3).stderr


def test_a_run_that_was_interrupted_is_gone_on_with(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    def interrupt(connection: object) -> None:
        cloud.stop_after = 150

    app.on_connect = interrupt
    lines = "".join(f"{number}\n" for number in range(400))
    line = f"pub -r lobby --lines --rate 0 --resume {tmp_path}/note"
    done = aws_iot(line, stdin=lines, ends=130)
    assert "150 of the 15" in done.stderr
    cloud.stop_after = None
    app.on_connect = lambda _: None
    assert f"{tmp_path}/note is removed." in aws_iot(line, stdin=lines).stderr
    assert list(dict.fromkeys(said(cloud))) == [str(number) for number in range(400)]
    ids = {dict(properties)["id"] for _, _, properties in cloud.published}
    assert len(ids) == 400
    assert not (tmp_path / "note").exists()


def test_what_was_refused_is_tried_again_by_the_same_command_and_nothing_is_said_twice(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    cloud.refuses_payload = encode("two")
    done = aws_iot(line, stdin="one\ntwo\nthree\n", ends=7)
    assert "Line 2 is not sent" in done.stderr
    assert f"The same command tries what was refused once more; {tmp_path}/note knows which." in done.stderr
    assert "Line 2 is not sent" in aws_iot(line, stdin="one\ntwo\nthree\n", ends=7).stderr
    assert said(cloud) == ["one", "three"]
    cloud.refuses_payload = None
    assert "is removed." in aws_iot(line, stdin="one\ntwo\nthree\n").stderr
    assert said(cloud) == ["one", "three", "two"]
    assert not (tmp_path / "note").exists()


def test_a_line_that_cannot_be_sent_is_corrected_and_sent_by_the_same_command(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    for _ in range(2):
        assert "Line 1 is not sent" in aws_iot(line, stdin=b"\xff\ntwo\nthree\n", ends=7).stderr
    aws_iot(line, stdin="one\ntwo\nthree\n")
    assert said(cloud) == ["two", "three", "one"]


def test_nothing_of_another_input_is_sent_in_place_of_a_line_that_could_not_be(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    aws_iot(line, stdin=b"\xff\ntwo\nthree\n", ends=7)
    assert "another input" in aws_iot(line, stdin="of another\nfile\naltogether\n", ends=3).stderr
    assert said(cloud) == ["two", "three"]
    aws_iot(line, stdin="one\ntwo\nthree\n")
    assert said(cloud) == ["two", "three", "one"]


def test_blank_lines_are_noted_as_they_are_passed_over(aws_iot: CommandLine, tmp_path: Path) -> None:
    line = f"pub -r lobby --lines --resume {tmp_path}/note"
    lines = b"\n" * 150 + b"\xff\n"
    aws_iot(line, stdin=lines, ends=7)
    noted = json.loads((tmp_path / "note").read_text())
    assert (noted["settled"], [number for number, _ in noted["refused"]]) == (151, [151])


def test_a_room_that_only_sub_understands_is_in_nobody_s_way_where_nothing_is_said(
    aws_iot: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_IOT_ROOM", "ops/#")
    aws_iot(f"pub --spool {tmp_path}/spool")


def test_one_message_is_kept_before_anything_is_tried(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    aws_iot(f"pub -r lobby -m kept -p wrong --spool {spool}", ends=4)
    assert cloud.published == []
    aws_iot(f"pub --spool {spool}")
    assert [payload for _, payload, _ in cloud.published] == [b'{"msg":"kept"}']


def test_what_one_person_said_is_not_said_by_another(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    aws_iot(f"pub -r lobby -m 'of bob' -u bob -p wrong --spool {spool}", ends=4)
    done = aws_iot(f"pub -r lobby -m 'of alice' --spool {spool}")
    assert f"In {spool} there is more, which stays there: 1 message of 'bob'." in done.stderr
    assert said(cloud) == ["of alice"]
    cloud.member("bob", "Passw0rd")
    aws_iot(f"pub -u bob -p Passw0rd --spool {spool}")
    assert said(cloud) == ["of alice", "of bob"]


def test_what_cannot_be_sent_now_waits_in_the_spool(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"

    def unplugged(_: object) -> None:
        raise Unreachable("cannot reach it")

    app.on_connect = unplugged
    done = aws_iot(f"pub -r lobby --lines --spool {spool}", stdin="one\ntwo\n", ends=6)
    assert "still to be sent: 2 messages" in done.stderr
    assert f"aws-iot pub --spool {spool} -k default" in done.stderr
    aws_iot(f"pub -r ops -m three --spool {spool}", ends=6)
    app.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert said(cloud) == ["one", "two", "three"]
    aws_iot(f"pub -r lobby -m four --spool {spool}")
    assert said(cloud) == ["one", "two", "three", "four"]
    assert {path.stat().st_mode & 0o77 for path in [spool, *spool.iterdir()]} == {0}


def test_what_exceeds_a_limit_waits_in_the_spool_and_what_is_refused_does_not(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    cloud.refuses_payload = encode("two")
    for refusal, left in ((LimitReached("a limit is reached"), ["two"]), (ServiceRefused("no"), [])):
        cloud.published.clear()
        cloud.refusal = refusal
        done = aws_iot(f"pub -r lobby --lines --spool {spool}", stdin="one\ntwo\nthree\n", ends=7)
        assert f"Line 2 is not sent: {refusal}" in done.stderr
        assert bool(left) == (f"What exceeded a limit waits in {spool} for the next run." in done.stderr)
        cloud.refuses_payload = None
        aws_iot(f"pub --spool {spool}")
        assert said(cloud) == ["one", "three", *left]
        cloud.refuses_payload = encode("two")


class OpenInput:
    """A file of lines that goes on until the test ends it."""

    def __init__(self, path: Path, *lines: str) -> None:
        os.mkfifo(path)
        self.path = path
        self._pipe = os.open(path, os.O_RDWR)
        os.write(self._pipe, "".join(f"{line}\n" for line in lines).encode())

    def end(self) -> None:
        """No more lines follow. Those written so far have been read when this returns."""
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
    """What happens at each attempt to connect: an error, or a call before the connection stands. No time passes."""
    happens = iter(steps)

    def connect(_: object) -> None:
        step = next(happens)
        if isinstance(step, AwsIotError):
            raise step
        step()

    app.on_connect = connect
    app.pause = lambda _: None


@POSIX
def test_spooled_messages_are_sent_as_soon_as_there_is_a_connection(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, offline = OpenInput(tmp_path / "lines", *NUMBERS), Unreachable("cannot reach it")
    at_attempts(app, offline, offline, lines.end)
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {tmp_path}/spool")
    assert "Connected: what was kept is sent now." in done.stderr
    assert "20 of 20 messages acknowledged" in done.stderr
    assert said(cloud) == NUMBERS
    ids = [dict(properties)["id"] for _, _, properties in cloud.published]
    assert [message_id.rpartition("-")[2] for message_id in ids] == NUMBERS
    app.on_connect = lambda _: None
    assert "0 of 0 messages" in aws_iot(f"pub --spool {tmp_path}/spool").stderr


@POSIX
def test_a_session_that_ends_while_offline_loses_no_message(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, spool = OpenInput(tmp_path / "lines", *NUMBERS), tmp_path / "spool"
    can_others_send: list[bool] = []

    def pause(_: float) -> None:
        with app.spool(spool, POOL, "alice") as ours, ours.sending() as alone:
            can_others_send.append(alone)
        if can_others_send.count(True) == 1:
            lines.end()

    at_attempts(app, Unreachable("cannot reach it"), SignInRefused("the session has ended"))
    app.pause = pause
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {spool}", ends=4)
    assert done.stderr.count("What is said is kept for the next run.") == 1
    assert "still to be sent: 20 messages." in done.stderr
    assert can_others_send[-1]
    app.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert said(cloud) == NUMBERS


@POSIX
def test_a_password_that_was_read_serves_for_all_attempts(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines = OpenInput(tmp_path / "lines", *NUMBERS)
    at_attempts(app, Unreachable("cannot reach it"), lines.end)
    line = f"pub -r lobby --lines --file {lines.path} --spool {tmp_path}/spool --password-stdin"
    aws_iot(line, stdin="Passw0rd\n")
    assert said(cloud) == NUMBERS


def test_what_was_kept_under_a_name_is_sent_by_the_command_that_is_told(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.member("bob", "Passw0rd")
    done = aws_iot(f"pub -r lobby -m x -u bob -p wrong --spool {tmp_path}/spool", ends=4)
    [told] = [line for line in done.stderr.splitlines() if "Send them with" in line]
    aws_iot(told.partition("Send them with: aws-iot ")[2] + " -p Passw0rd")
    assert said(cloud) == ["x"]


@POSIX
def test_what_ends_the_attempts_is_told_and_what_is_kept_stays(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines, spool = OpenInput(tmp_path / "lines", *NUMBERS), tmp_path / "spool"

    def pause_until_all_is_kept(_: float) -> None:
        with app.spool(spool, POOL, "alice") as ours:
            wait_until(lambda: ours.count() == len(NUMBERS), ours.count)

    at_attempts(app, Unreachable("cannot reach it"), NotAccepted("not you any more"))
    app.pause = pause_until_all_is_kept
    done = aws_iot(f"pub -r lobby --lines --file {lines.path} --spool {spool}", ends=5)
    lines.end()
    assert "not you any more" in done.stderr
    assert "still to be sent: 20 messages." in done.stderr
    app.on_connect = lambda _: None
    aws_iot(f"pub --spool {spool}")
    assert said(cloud) == NUMBERS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pub -r lobby", "Say what?"),
        ("pub -r lobby --spool a", "Say what?"),
        ("pub -m x", "Give -r ROOM"),
        ("pub --lines", "Give -r ROOM"),
        ("pub -r lobby -m x --lines", "-m goes without"),
        ("pub -r lobby --lines --json-lines", "exclude each other"),
        ("pub -r lobby --json-lines --raw", "--raw"),
        ("pub -r lobby --lines --repeat 2", "--repeat goes with -m"),
        ("pub -r lobby -m x --interval 2", "--interval goes with --repeat."),
        ("pub -r lobby --lines --interval 2", "--interval goes with --repeat."),
        ("pub -r lobby -m x --file -", "-m goes without"),
        ("pub -r lobby --file - --password-stdin", "cannot hold both"),
        ("pub -r lobby --lines --spool a --resume b", "exclude each other"),
        ("pub -r lobby --lines --password-stdin", "cannot hold both"),
        ("pub -r lobby -m x --connections 0", "--connections"),
        ("pub -r lobby -m x --resume a", "--resume goes with --lines"),
        ("pub -r lobby -m x --spool a --qos 0", "--qos 0 asks for no acknowledgement"),
        ("pub -r lobby --room ops -m x", "-r was given 2 times: give it once."),
        ("pub -r lobby -m x -my --msg=z", "-m was given 3 times: give it once."),
        ("pub -r lobby --file a --file b", "--file was given 2 times"),
        ("pub -r lobby -m x --rate -1", "--rate"),
    ],
)
def test_options_that_do_not_go_together_are_told(aws_iot: CommandLine, line: str, words: str) -> None:
    assert words in aws_iot(line, ends=2).stderr


def test_a_line_with_a_room_that_cannot_be_is_named_and_the_rest_is_sent(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    lines = "".join(json.dumps({"room": room, "text": "x"}) + "\n" for room in ("a", "a+b", "c"))
    for spool in ("", f"--spool {tmp_path}/spool"):
        cloud.published.clear()
        done = aws_iot(f"pub --json-lines {spool}", stdin=lines, ends=7)
        assert len(said(cloud)) == 2
        assert "Line 2 is not sent" in done.stderr
    aws_iot(f"pub --spool {tmp_path}/spool")


def test_a_message_waits_in_the_spool_as_it_is_to_be_sent(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    def unplugged(_: object) -> None:
        raise Unreachable("cannot reach it")

    app.on_connect = unplugged
    done = aws_iot(f"pub -r lobby -m x --retain --spool {tmp_path}/spool", ends=6)
    assert "still to be sent: 1 message." in done.stderr
    with app.spool(tmp_path / "spool", POOL, "alice") as spool:
        assert [(message.qos, message.retain) for _, message in spool.waiting()] == [(1, True)]


def test_raw_lines_are_sent_as_they_are(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("pub -r lobby --raw --lines", stdin=b"a\r\n  \nb\n")
    assert payloads(cloud) == [b"a\r", b"  ", b"b"]


def test_another_input_than_was_begun_with_is_told_and_the_note_is_kept(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    line = f"pub -r lobby --lines --rate 0 --resume {note}"
    cloud.stop_after = 7
    aws_iot(line, stdin="".join(f"{number}\n" for number in range(20)), ends=130)
    cloud.stop_after = None
    noted = note.read_text()
    assert json.loads(noted)["settled"] == 7
    for lines, told in (
        ("0\n1\n", "ends at line 2, and 7 of it were sent"),
        ("0\n1\n2\n3\n4\n5\n7\n", "is about another input, up to line 7"),
        ("\n".join("001234567"), "is about another input, up to line 7"),
    ):
        assert told in aws_iot(line, stdin=lines, ends=3).stderr
        assert note.read_text() == noted
    other = aws_iot(line.replace("lobby", "ops"), stdin="0\n", ends=3)
    assert f"{note}: is about the room 'lobby', not the room 'ops'" in other.stderr
    assert "not rooms that the lines name" in aws_iot(f"pub --json-lines --resume {note}", ends=3).stderr
    assert note.read_text() == noted
    assert len(cloud.published) == 7
    aws_iot(line, stdin="0\n1\n2\n3\n4\n5\n6\n7 that was changed\n")
    assert said(cloud)[7:] == ["7 that was changed"]
