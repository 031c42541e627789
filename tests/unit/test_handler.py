"""A command for each message: its input, how many run at once, and what happens if one fails."""

import os
import re
import shlex
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot.cli.commands.sub.handler import (
    LONGEST_VARIABLE_BYTES,
    MARK,
    VARIABLES,
    Handler,
    shell_syntax,
    variables,
)
from aws_iot.cli.ui.formatting import message_line
from aws_iot.errors import CommandFailed, Unreachable
from aws_iot.messaging.deliveries import Acknowledgements, Delivery
from aws_iot.messaging.message import Message, encode
from tests.conftest import REPOSITORY
from tests.waiting import wait_until

IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
RECEIVED = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC)
POSIX = pytest.mark.skipif(os.name == "nt", reason="runs sh")


def message(text: str, name: str | None = "alice") -> Message:
    return Message("lobby", IDENTITY, text, encode("x"), RECEIVED, "1", RECEIVED, name)


class Broker:
    """Makes deliveries, and counts the acknowledgements that it gets."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.error: BaseException | None = None
        """What every acknowledgement raises."""
        self._acknowledgements = Acknowledgements(self._count)

    def _count(self, deliveries: int) -> None:
        if self.error:
            raise self.error
        self.acknowledged += deliveries

    def deliver(self, text: str) -> Delivery:
        self._acknowledgements.delivered += 1
        return Delivery(message(text), self._acknowledgements.delivered, self._acknowledgements)


@pytest.fixture
def broker() -> Broker:
    return Broker()


def sh(script: str, jobs: int = 1) -> Handler:
    return Handler(["sh", "-c", script], jobs)


def test_the_environment_has_every_field_of_a_message() -> None:
    assert variables(message("hi")) == {
        "AWS_IOT_MESSAGE_ROOM": "lobby",
        "AWS_IOT_MESSAGE_SENDER": IDENTITY,
        "AWS_IOT_MESSAGE_SHORT": "4f9fa251",
        "AWS_IOT_MESSAGE_NAME": "alice",
        "AWS_IOT_MESSAGE_TEXT": "hi",
        "AWS_IOT_MESSAGE_ID": "1",
        "AWS_IOT_MESSAGE_RECEIVED": "2026-01-31T23:59:59.999Z",
        "AWS_IOT_MESSAGE_SENT": "2026-01-31T23:59:59.999Z",
        "AWS_IOT_MESSAGE_QOS": "1",
        "AWS_IOT_MESSAGE_RETAINED": "false",
        "AWS_IOT_MESSAGE_KIND": "",
        "AWS_IOT_MESSAGE_RE": "",
        "AWS_IOT_MESSAGE_LINE": message_line(message("hi")),
    }


def test_characters_and_values_that_do_not_fit_an_environment_are_replaced_or_left_out() -> None:
    values = variables(message("x" * (LONGEST_VARIABLE_BYTES + 1), name="a\0b\ud800"))
    assert set(VARIABLES) - set(values) == {"AWS_IOT_MESSAGE_TEXT", "AWS_IOT_MESSAGE_LINE"}
    assert values["AWS_IOT_MESSAGE_NAME"] == "a\ufffdb?"


@POSIX
@pytest.mark.parametrize("text", ["hi", "", "\0\ud800 $(touch x) `id`; 'quoted' \"\n", "x" * 131_000])
def test_the_text_is_the_command_s_standard_input(broker: Broker, tmp_path: Path, text: str) -> None:
    with sh(f"cat > {shlex.quote(str(tmp_path / 'out'))}") as handler:
        handler.take(broker.deliver(text))
        handler.finish()
    assert (tmp_path / "out").read_bytes() == text.encode(errors="replace")
    handler.check()


@POSIX
@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb\r", "\\033[2J", "\x9b2J \u202e", "$(id) \" '"])
def test_the_recipe_of_the_docs_for_a_terminal_prints_no_control_character(
    broker: Broker, tmp_path: Path, text: str
) -> None:
    docs = (REPOSITORY / "docs" / "scripting.md").read_text(encoding="utf-8")
    [recipe] = re.findall(r"`--exec ('.*LINE.*')`", docs)
    [script] = shlex.split(shlex.split(recipe)[0])[2:]
    with sh(f"cd {shlex.quote(str(tmp_path))}; ({script}) > screen") as handler:
        handler.take(broker.deliver(text))
    handler.check()
    shown = (tmp_path / "screen").read_text()
    assert shown == message_line(message(text)) + "\n"
    assert shown[:-1].isprintable()
    assert (tmp_path / "ops.log").read_bytes() == f"{text}\n".encode()


@POSIX
def test_a_command_need_not_read_its_input(broker: Broker) -> None:
    with sh("exit 0") as handler:
        handler.take(broker.deliver("x" * 131_000))
        assert broker.acknowledged == 1
    handler.check()


@POSIX
def test_with_one_job_the_order_is_kept_and_a_message_is_acknowledged_when_its_command_has_ended(
    broker: Broker,
    tmp_path: Path,
) -> None:
    with sh(f'echo "$AWS_IOT_MESSAGE_TEXT" >> {shlex.quote(str(tmp_path / "out"))}') as handler:
        for number in range(5):
            handler.take(broker.deliver(str(number)))
            assert broker.acknowledged == number + 1
            assert len((tmp_path / "out").read_text().split()) == number + 1
    assert (tmp_path / "out").read_text().split() == ["0", "1", "2", "3", "4"]


# Ends only when so many of its kind run at the same time.
MEET = """
import os, pathlib, sys, time
folder, number = pathlib.Path(sys.argv[1]), int(sys.argv[2])
(folder / str(os.getpid())).touch()
while len(list(folder.iterdir())) < number:
    time.sleep(0.01)
"""


def test_as_many_commands_run_at_once_as_there_are_jobs(broker: Broker, tmp_path: Path) -> None:
    with Handler([sys.executable, "-c", MEET, str(tmp_path), "3"], 3) as handler:
        for number in range(3):
            assert len(list(tmp_path.iterdir())) < 3
            handler.take(broker.deliver(str(number)))
        handler.finish()
        assert broker.acknowledged == 3
    handler.check()


@POSIX
def test_a_failure_is_reported_and_counted_and_the_next_message_is_handled(
    broker: Broker,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with sh('exit "$AWS_IOT_MESSAGE_TEXT"') as handler:
        for code in ("0", "3", "0"):
            handler.take(broker.deliver(code))
    assert capsys.readouterr().err == "sh exited with 3\n"
    with pytest.raises(CommandFailed, match="1 of 3 commands failed"):
        handler.check()


@POSIX
def test_a_signal_is_a_failure(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    with sh("kill -9 $$") as handler:
        handler.take(broker.deliver("x"))
    assert capsys.readouterr().err == "sh was stopped by signal 9 (SIGKILL)\n"


def test_a_command_that_cannot_be_run_is_a_failure(
    broker: Broker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with Handler([str(tmp_path)], 1) as handler:
        handler.take(broker.deliver("x"))
    assert "cannot be run" in capsys.readouterr().err
    with pytest.raises(CommandFailed):
        handler.check()


FOREVER = "while :; do sleep 0.1; done"
"""A script that never ends."""


@POSIX
def test_commands_are_stopped_even_if_an_acknowledgement_fails(broker: Broker, tmp_path: Path) -> None:
    for name in ("lives", "go"):
        os.mkfifo(tmp_path / name)
    broker.error = Unreachable("the connection was closed")
    script = """case $AWS_IOT_MESSAGE_TEXT in
        long) exec sleep 9999 > lives ;;
        short) echo $$ > pid; read go < go ;;
    esac"""
    with suppress(Unreachable), sh(f"cd {shlex.quote(str(tmp_path))}; {script}", jobs=3) as handler:
        handler.take(broker.deliver("short"))
        handler.take(broker.deliver("long"))
        lives = os.open(tmp_path / "lives", os.O_RDONLY)
        (tmp_path / "go").write_text("\n")
        os.waitid(os.P_PID, int((tmp_path / "pid").read_text()), os.WEXITED | os.WNOWAIT)
    os.set_blocking(lives, False)
    assert os.read(lives, 1) == b""  # because the other end is closed
    os.close(lives)


@POSIX
def test_a_failure_is_counted_even_if_its_acknowledgement_is_interrupted(
    broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    broker.error = KeyboardInterrupt()
    with suppress(KeyboardInterrupt), sh("exit 3") as handler:
        handler.take(broker.deliver("x"))
    assert capsys.readouterr().err == "sh exited with 3\n"
    with pytest.raises(CommandFailed, match="1 of 1 commands failed"):
        handler.check()


@POSIX
@pytest.mark.parametrize("jobs", [1, 2])
def test_when_the_time_is_up_a_running_command_is_stopped_and_its_message_not_acknowledged(
    broker: Broker, capsys: pytest.CaptureFixture[str], jobs: int
) -> None:
    ends = time.monotonic() + 0.2
    with sh(FOREVER, jobs) as handler:
        handler.take(broker.deliver("x"), ends)
        handler.finish(ends)
        assert time.monotonic() >= ends
    assert broker.acknowledged == 0
    assert capsys.readouterr().err == "sh was stopped: the time is up\n"
    with pytest.raises(CommandFailed, match="1 of 1 commands failed"):
        handler.check()


@POSIX
def test_the_wait_for_a_command_ends_when_the_command_does(broker: Broker) -> None:
    far = time.monotonic() + 1_000_000
    with sh("exit 0") as handler:
        handler.take(broker.deliver("x"), far)
        handler.finish(far)
        assert broker.acknowledged == 1
    handler.check()


@POSIX
def test_commands_that_still_run_are_stopped_even_if_they_ignore_sigterm(broker: Broker) -> None:
    with sh(f"trap '' TERM; {FOREVER}", jobs=2) as handler:
        handler.take(broker.deliver("x"))
        handler.flush()
    assert broker.acknowledged == 0


DAEMON = """
import os, sys
for leave in (os.setsid, lambda: None):
    if os.fork():
        os._exit(0)
    leave()
os.execvp("sh", ["sh", "-c", sys.argv[1]])
"""
HOLD = "exec sleep 9999 > {}"
DAEMONIZE = f"{sys.executable} -c {shlex.quote(DAEMON)}"


STARTS = {
    "background": "HOLD &",
    "orphan": "(HOLD &)",
    "nohup": "nohup sh -c 'HOLD' 2> /dev/null &",
    "ignores signals": "(trap '' INT TERM HUP; HOLD) &",
    "daemon": f"{DAEMONIZE} 'HOLD'",
}


@POSIX
@pytest.mark.parametrize(
    ("start", "is_dead"),
    [
        *(pytest.param(start, False, id=f"{name}, command runs") for name, start in STARTS.items()),
        *(pytest.param(start, True, id=f"{name}, command has ended") for name, start in STARTS.items()),
        pytest.param("env -i sh -c 'HOLD' &", False, id="no environment, command runs"),
    ],
)
def test_what_a_command_has_started_ends_with_sub(
    broker: Broker, tmp_path: Path, start: str, is_dead: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal sends Ctrl-C to the command as well, which may end before what it has started."""
    fifo, pid_file = tmp_path / "fifo", tmp_path / "pid"
    os.mkfifo(fifo)
    script = f"{start.replace('HOLD', HOLD.format(fifo))}\necho $$ > {pid_file}\nwait; exec sleep 9999"
    with suppress(KeyboardInterrupt), sh(script, jobs=2) as handler:
        handler.take(broker.deliver("x"))
        started = os.open(fifo, os.O_RDONLY)  # once it has been started
        wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        if is_dead:
            os.kill(pid := int(pid_file.read_text()), signal.SIGINT)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        raise KeyboardInterrupt
    assert os.read(started, 1) == b""  # because the other end is closed
    os.close(started)
    assert broker.acknowledged == 0
    assert capsys.readouterr().err == ""


@POSIX
def test_what_a_command_has_started_ends_even_if_ctrl_c_lets_it_succeed(
    broker: Broker, tmp_path: Path
) -> None:
    fifo, gate, pid_file = tmp_path / "fifo", tmp_path / "gate", tmp_path / "pid"
    os.mkfifo(fifo)
    os.mkfifo(gate)
    script = f"echo $$ > {pid_file}; sleep 9999 > {fifo} & read line < {gate}; exit 0"
    with suppress(KeyboardInterrupt), sh(script, jobs=2) as handler:
        handler.take(broker.deliver("x"))
        started = os.open(fifo, os.O_RDONLY)
        gate.write_text("end now\n")  # not sooner: `take` would see that it has ended
        os.waitid(os.P_PID, int(pid_file.read_text()), os.WEXITED | os.WNOWAIT)
        raise KeyboardInterrupt
    assert os.read(started, 1) == b""
    os.close(started)


@POSIX
def test_the_commands_of_a_sub_that_a_command_runs_end_too(broker: Broker, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    nested = f"{MARK}=\"${MARK} of-another\" {DAEMONIZE} 'exec sleep 9999 > {fifo}'; exit 0"
    with suppress(KeyboardInterrupt), sh(f"({nested}); sleep 9999", jobs=2) as handler:
        handler.take(broker.deliver("x"))
        started = os.open(fifo, os.O_RDONLY)
        raise KeyboardInterrupt
    assert os.read(started, 1) == b""
    os.close(started)


@POSIX
def test_the_children_of_a_command_that_has_ended_keep_running(broker: Broker, tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    script = f"(sleep 0.5; echo done) > {shlex.quote(str(fifo))} & exec true"
    with sh(script) as handler:
        handler.take(broker.deliver("x"))
        handler.finish()
    assert fifo.read_bytes() == b"done\n"


@POSIX
def test_messages_are_added_to_a_file_a_line_each(broker: Broker, tmp_path: Path) -> None:
    log = tmp_path / "ops.log"
    with sh(f"(cat; echo) >> {shlex.quote(str(log))}") as handler:
        for text in ("one", "two"):
            handler.take(broker.deliver(text))
    assert log.read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("cat >> log", ">>"),
        ("make >log", ">log"),
        ("grep x | mail me", "|"),
        ("a && b", "&&"),
        ("a 2>&1", "2>&1"),
        ("echo $AWS_IOT_MESSAGE_TEXT", "$AWS_IOT_MESSAGE_TEXT"),
        ("echo ${HOME}/x", "${HOME}/x"),
        ("echo `id`", "`id`"),
        ("sh -c cat > log", ">"),
        ("sh -c '$HOME/bin/x | y > z'", None),
        ("jq '.a | .b'", None),
        ("tee -a ops.log", None),
        ("sh -c '(cat; echo) >> ops.log'", None),
        ("work --price=5$ a>b", None),
    ],
)
def test_shell_syntax_is_recognized(line: str, word: str | None) -> None:
    assert shell_syntax(shlex.split(line)) == word
