"""What only shows on a terminal: asking for a password, without echo."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

from aws_iot.app import App
from aws_iot.config.endpoint import Endpoint
from aws_iot.messaging.client import Client
from aws_iot.publishing.spool.store import Spool
from tests import terminal
from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Running, Stack, totp
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = terminal.NEEDED


def test_a_password_is_asked_for_and_not_shown(stack: Stack) -> None:
    person = stack.person(signed_in=False)
    env = {k: v for k, v in person.env.items() if k != "AWS_IOT_PASSWORD"}
    with on_a_terminal([*COMMAND, "pub", "-r", "lobby", "-m", "hello"], env) as process:
        shown = read_until(process, b"Password for " + person.username.encode() + b": ")
        type_in(process, PASSWORD.encode() + b"\r")
        shown += read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    assert b"Sent to lobby" in shown
    assert PASSWORD.encode() not in shown


def test_a_password_is_asked_for_at_the_terminal_even_if_stdin_holds_the_message(stack: Stack) -> None:
    person = stack.person(signed_in=False)
    env = {k: v for k, v in person.env.items() if k != "AWS_IOT_PASSWORD"}
    line = f"echo hello | {shlex.join(COMMAND)} pub -r lobby -m -"
    with on_a_terminal(["sh", "-c", line], env) as process:
        read_until(process, b"Password for ")
        type_in(process, PASSWORD.encode() + b"\r")
        assert b"Sent to lobby" in read_rest(process)


def test_what_is_piped_in_is_never_taken_for_a_code(stack: Stack) -> None:
    person = stack.person(signed_in=False)
    account = stack.app().auth.accounts(stack.profile).of(stack.sign_in(person.username))
    secret = account.new_authenticator()
    account.confirm_authenticator(totp(secret))
    account.use_second_factor("SOFTWARE_TOKEN_MFA")
    line = f"seq 3 | {shlex.join(COMMAND)} pub -r lobby --lines"
    with on_a_terminal(["sh", "-c", line], person.env) as process:
        read_until(process, b"Code (authenticator app): ")
        type_in(process, totp(secret).encode() + b"\r")
        assert b"3 of 3 messages acknowledged" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_a_new_password_is_asked_for_twice(stack: Stack) -> None:
    with on_a_terminal([*COMMAND, "signup", "-u", "typed", "-e", "typed@example.com"], stack.env) as process:
        read_until(process, b"New password for typed: ")
        type_in(process, PASSWORD.encode() + b"\r")
        read_until(process, b"Repeat for confirmation: ")
        type_in(process, PASSWORD.encode() + b"\r")
        assert b"Created the account" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    run_here("confirm -u typed -c 123456", stack.env)


def test_a_forgotten_password_is_reset_in_one_command(stack: Stack) -> None:
    person = stack.person()
    with on_a_terminal([*COMMAND, "password", "reset", "-u", person.username], stack.env) as process:
        for question, answer in (
            (b"Code: ", b"CODE"),
            (b"a code has only digits, such as 123456.\r\nCode: ", b"654 321"),
            (b"New password for ", b"short"),
            (b"Repeat for confirmation: ", b"short"),
            (b"more.\r\nNew password for ", b"Passw0rd-new"),
            (b"Repeat for confirmation: ", b"Passw0rd-new"),
        ):
            read_until(process, question)
            type_in(process, answer + b"\r")
        assert b"Changed the password of " in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    run_here(f"login -u {person.username} -p Passw0rd-new", stack.env)


def test_status_never_continues_the_line_that_a_person_types(stack: Stack) -> None:
    person = stack.person()
    listener = Running("sub -r typing -C 1", person.env)
    try:
        listener.wait_for("Receiving")
        with on_a_terminal([*COMMAND, "pub", "-r", "typing", "--lines"], person.env) as process:
            read_until(process, b"Ctrl-D at the start of a line.\r\n")
            type_in(process, b"one\r")
            assert listener.wait() == 0
            type_in(process, b"half a line")
            read_until(process, b"half a line")
            type_in(process, b"\x03")
            shown = read_rest(process)
            assert b"^C\r\nInterrupted: " in shown
            assert not shown.endswith(b"\r\n\r\n")
    finally:
        listener.kill()


def test_status_of_a_spool_never_continues_the_line_that_a_person_types(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{nobody_listens.getsockname()[1]}/mqtt")
        profile = stack.profile._replace(endpoint=endpoint)
        App.in_folder(Path(person.env["AWS_IOT_CONFIG_DIR"])).config.profiles.replace("local", profile)
        line = [*COMMAND, "pub", "-r", "typing", "--lines", "--spool", str(tmp_path)]
        with on_a_terminal(line, person.env) as process:
            read_until(process, b"Ctrl-D at the start of a line.\r\n")
            assert read_until(process, b"Messages are saved in").startswith(b"\r\n")
            type_in(process, b"one\r")
            with Spool(tmp_path, profile.identity_pool_id, person.username) as spool:
                wait_until(lambda: spool.count() == 1)
            type_in(process, b"half a line")
            read_until(process, b"half a line")
            type_in(process, b"\x03")
            assert b"^C\r\nSaved but not sent: 1 message." in read_rest(process)


def test_ctrl_c_at_the_question_ends_it(stack: Stack) -> None:
    with on_a_terminal([*COMMAND, "sub", "-u", "somebody"], stack.env) as process:
        read_until(process, b"Password for somebody: ")
        type_in(process, b"\x03")
        assert b"Traceback" not in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 130


def test_a_command_that_is_run_for_a_message_may_ask_at_the_terminal(stack: Stack) -> None:
    ask = 'sh -c "echo well?; read answer < /dev/tty; echo got $answer"'
    with on_a_terminal(
        [*COMMAND, "sub", "-r", "questions", "-C", "1", "--exec", ask], stack.person().env
    ) as process:
        read_until(process, b"Receiving")
        run_here("pub -r questions -m x", stack.person().env)
        read_until(process, b"well?")
        type_in(process, b"fine\r")
        assert b"got fine" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_ctrl_c_ends_what_a_command_has_started(stack: Stack, tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    line = [*COMMAND, "sub", "-r", "endless", "--exec", f"sh -c 'sleep 9999 > {fifo} & wait'"]
    with on_a_terminal(line, stack.person().env) as process:
        read_until(process, b"Receiving")
        run_here("pub -r endless -m x", stack.person().env)
        with fifo.open("rb") as started:
            type_in(process, b"\x03")
            shown = read_rest(process)
            assert b"^C\r\n" in shown  # what follows begins a line, if only the shell's prompt
            assert not shown.endswith(b"\r\n\r\n")
            assert process.wait(DEADLINE_SECONDS) == 130
            assert started.read() == b""


def set_columns(terminal: int, columns: int) -> None:
    """Resize a pseudo-terminal."""
    if sys.platform != "win32":
        import fcntl
        import struct
        import termios

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_a_long_message_has_one_line_at_the_left_edge_even_if_the_terminal_is_resized(
    stack: Stack, speaker: Client, room: str
) -> None:
    forged = "2026-01-31 23:59:59 [lobby] alice~00000000: hi"
    screen, terminal = os.openpty()
    command = [*COMMAND, "sub", "-r", room, "-C", "4"]
    process = subprocess.Popen(
        command, env=stack.person().env, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr
        while b"Receiving" not in (line := process.stderr.readline()):
            assert line, "sub has ended"
        for columns in (80, 60):
            set_columns(terminal, columns)
            for blank in (" ", "\u2800"):
                speaker.publish(room, f"{blank * columns}{forged} to the end")
                shown = b""
                while b"end\r\n" not in shown:
                    shown += os.read(screen, 4096)
                first, *rest = shown.decode().split("\r\n")[:-1]
                assert "~" in first
                assert rest
                assert all(line.startswith("    | ") for line in rest)
                assert max(map(len, rest)) <= columns
        assert process.wait(DEADLINE_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(screen)
        os.close(terminal)
