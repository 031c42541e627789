"""Streams on the local stack, as real processes: everything arrives once and in order, and a kill loses nothing."""

import json
import math
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.auth.credentials import Credentials
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.publisher import Callbacks, Publisher
from aws_iot.publishing.spool.store import Spool
from tests.fakes import FakeCloud
from tests.fault_proxy import FaultProxy
from tests.in_process import run_here
from tests.processes import COMMAND, Running, Stack, run
from tests.scripted_broker import Kind, Packet, ScriptedBroker, agreeable, puback
from tests.streams import through
from tests.waiting import BRIEF_SECONDS, DEADLINE_SECONDS, wait_until

PER_SECOND = 100
"""The limit of AWS IoT Core for one connection: docs.aws.amazon.com/general/latest/gr/iot-core.html"""


@contextmanager
def started(env: dict[str, str], line: str) -> Iterator["subprocess.Popen[str]"]:
    """A command whose input is written while it runs."""
    pipe = subprocess.PIPE
    command = [*COMMAND, *shlex.split(line)]
    with subprocess.Popen(command, env=env, stdin=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def write(process: "subprocess.Popen[str]", *lines: str) -> None:
    assert process.stdin
    process.stdin.write("".join(f"{line}\n" for line in lines))
    process.stdin.flush()


def finish(process: "subprocess.Popen[str]", code: int) -> str:
    """End the command's input, and return what it prints on stderr until it exits with this code."""
    _, printed = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == code, printed
    return printed


def listening(stack: Stack, env: dict[str, str], room: str) -> Running:
    listener = Running(f"sub -r {room} --json", env)
    listener.wait_for("Receiving")
    return listener


def texts(listener: Running) -> list[str]:
    return [json.loads(line)["text"] for line in listener.stdout]


def test_lines_arrive_once_and_in_order(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "stream")
    try:
        lines = tmp_path / "lines"
        lines.write_text("".join(f"line {number}\n" for number in range(1500)))
        done = run_here(f"pub -r stream --lines --rate 0 --file {lines}", person.env)
        assert "1,500 of 1,500 messages acknowledged" in done.stderr
        listener.wait_for('"line 1499"')
        assert texts(listener) == [f"line {number}" for number in range(1500)]
    finally:
        listener.kill()


def test_several_connections_share_the_lines(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "bulk")
    try:
        (tmp_path / "lines").write_text("".join(f"{number}\n" for number in range(200)))
        run_here(f"pub -r bulk --lines --rate 0 --connections 4 --file {tmp_path}/lines", person.env)
        run_here("pub -r bulk -m last", person.env)
        listener.wait_for('"last"')
        assert sorted(texts(listener)[:200], key=int) == [str(number) for number in range(200)]
    finally:
        listener.kill()


@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(math.inf, id="short"),
        pytest.param(PER_SECOND, id="measured by the broker", marks=pytest.mark.long),
    ],
)
def test_messages_sent_again_after_a_cut_count_towards_the_limit(limit: float) -> None:
    """AWS IoT Core discards publishes above 100 in any second, so the publisher pauses after sending some again."""
    came: list[float] = []
    answered, sent, count = 81, 170, 350
    discarded = 0

    def limited(packet: Packet) -> bytes | None:
        nonlocal discarded
        if packet.kind is not Kind.PUBLISH:
            return agreeable(packet)
        if packet.link == 1 and len(came) >= answered:
            return b""  # unacknowledged messages are sent again after the cut
        came.append(time.monotonic())
        if sum(at > came[-1] - 1 for at in came) <= limit:
            return puback(packet)
        discarded += 1
        return b""

    identity, keys = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222", ("ASIA", "secret", "token")
    credentials = Credentials(identity, *keys, datetime.now(UTC) + timedelta(hours=1))
    with ScriptedBroker(limited) as broker:
        profile = FakeCloud().profile._replace(endpoint=broker.endpoint)
        app = App()
        connection = app.messaging.connect(profile, identity, lambda: credentials)
        try:
            client = app.messaging.client(profile, connection, identity, "al")
            happened: list[Lost | Restored] = []
            took: list[float] = []
            publisher = Publisher([client], Callbacks(lambda *_: None, happened.append))
            for number in range(1, count + 1):
                if number == sent + 1:
                    wait_until(lambda: len(came) == answered and publisher.stats.acknowledged == answered)
                    broker.cut()
                began = time.monotonic()
                publisher.publish(number, Outgoing("lobby", b"x", str(number)))
                took.append(time.monotonic() - began)
            publisher.finish()
        finally:
            connection.close()
    assert publisher.stats.acknowledged == count
    assert [type(event) for event in happened] == [Lost, Restored]
    assert max(took) >= (sent - answered) / PER_SECOND
    assert discarded == 0


def test_the_next_run_sends_the_spool_of_a_killed_program(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "spooled")
    try:
        # One message in two seconds: the second is in the spool, and not sent yet, when the program is killed.
        with started(person.env, f"pub -r spooled --lines --rate 0.5 --spool {spool}") as sender:
            write(sender, "first", "second")
            listener.wait_for('"first"')
            sender.kill()
        run_here(f"pub -r spooled -m third --spool {spool}", person.env)
        listener.wait_for('"third"')
        assert texts(listener) == ["first", "second", "third"]
    finally:
        listener.kill()


def test_messages_that_were_saved_without_a_network_are_sent_once_it_is_back(
    stack: Stack, tmp_path: Path
) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "later")
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        proxy.refuse()
        line = f"pub -r later --lines --spool {tmp_path / 'spool'}"
        with started(through(stack, person, proxy.port), line) as sender:
            try:
                write(sender, "first", "second")
                assert sender.stderr
                assert "Messages are saved in" in sender.stderr.readline()
                proxy.admit()
                listener.wait_for('"second"')
                write(sender, "third")
                assert "3 of 3 messages acknowledged" in finish(sender, 0)
                listener.wait_for('"third"')
                assert texts(listener) == ["first", "second", "third"]
            finally:
                listener.kill()


def test_a_second_program_leaves_sending_to_the_first(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "shared")
    try:
        with started(person.env, f"pub -r shared --lines --spool {spool}") as first:
            write(first, "one")
            listener.wait_for('"one"')
            second = run_here(f"pub -r shared -m two --spool {spool}", person.env)
            assert f"Another program is sending the messages in {spool}, including yours." in second.stderr
            assert "The other program has finished sending." in second.stderr
            listener.wait_for('"two"')
            write(first, "three")
            assert "3 of 3 messages acknowledged" in finish(first, 0)
        listener.wait_for('"three"')
        assert texts(listener) == ["one", "two", "three"]
    finally:
        listener.kill()


def test_a_rejection_is_reported_to_the_program_that_added_the_message(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "shared/refused")
    try:
        with started(person.env, f"pub -r shared/refused --lines --spool {spool}") as first:
            write(first, "one")
            listener.wait_for('"one"')
            retaining = run_here(f"pub -r shared/refused -m two --retain --spool {spool}", person.env, ends=5)
            assert "Message 1 was not sent: not authorized to publish" in retaining.stderr
            assert "A saved message was not sent" in finish(first, 5)
    finally:
        listener.kill()


def test_a_program_that_leaves_sending_to_another_takes_over_if_that_one_ends(
    stack: Stack, tmp_path: Path
) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "heirs")
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        proxy.refuse()
        try:
            with started(
                through(stack, person, proxy.port), f"pub -r heirs --lines --spool {spool}"
            ) as first:
                write(first, "one", "two")
                assert first.stderr
                assert "Messages are saved in" in first.stderr.readline()
                late = run_here(
                    f"pub -r heirs -m three --spool {spool} --timeout {BRIEF_SECONDS:g}", person.env, ends=6
                )
                assert f"has sent nothing for {BRIEF_SECONDS:g} seconds" in late.stderr
                assert "Saved but not sent: 3 messages." in late.stderr
                with started(person.env, f"pub -r heirs --lines --spool {spool}") as second:
                    write(second, "four")
                    assert second.stderr
                    assert "Another program is sending" in second.stderr.readline()
                    first.kill()
                    listener.wait_for('"four"')
                    finish(second, 0)
            assert texts(listener) == ["one", "two", "three", "four"]
        finally:
            listener.kill()


def test_while_the_connection_is_lost_the_whole_input_is_saved(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "outage")
    count = 1_000
    with (
        FaultProxy(stack.profile.endpoint.port) as proxy,
        started(
            through(stack, person, proxy.port), f"pub -r outage --lines --rate 0 --spool {spool}"
        ) as sender,
        Spool(spool, stack.profile.identity_pool_id, person.username) as saved,
    ):
        try:
            write(sender, "first")
            listener.wait_for('"first"')
            proxy.refuse()
            proxy.cut()
            write(sender, *map(str, range(count)))
            wait_until(lambda: saved.count() >= count, saved.count)
            proxy.admit()
            finish(sender, 0)
            listener.wait_for(f'"{count - 1}"')
            assert texts(listener) == ["first", *map(str, range(count))]
        finally:
            listener.kill()


def test_once_the_input_has_ended_a_lost_connection_is_not_waited_for_without_end(
    stack: Stack, tmp_path: Path
) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "given-up")
    with (
        FaultProxy(stack.profile.endpoint.port) as proxy,
        Spool(spool, stack.profile.identity_pool_id, person.username) as saved,
    ):
        try:
            line = f"pub -r given-up --lines --spool {spool} --timeout {BRIEF_SECONDS:g}"
            with started(through(stack, person, proxy.port), line) as sender:
                write(sender, "one")
                listener.wait_for('"one"')
                wait_until(lambda: saved.count() == 0, saved.count)  # it is also acknowledged
                proxy.refuse()
                proxy.cut()
                write(sender, "two")
                printed = finish(sender, 6)
            assert f"the connection has been lost for {BRIEF_SECONDS:g} seconds" in printed
            assert "Saved but not sent: 1 message." in printed
            run_here(f"pub --spool {spool}", person.env)
            listener.wait_for('"two"')
            assert texts(listener) == ["one", "two"]
        finally:
            listener.kill()


def test_the_content_of_a_pipe_is_saved_even_if_the_program_is_ended_while_connecting(
    stack: Stack, tmp_path: Path
) -> None:
    person = stack.person()
    with FaultProxy(stack.profile.endpoint.port, is_mute=True) as proxy:
        line = f"pub -r lobby --lines --spool {tmp_path}/spool"
        with (
            started(through(stack, person, proxy.port), line) as sender,
            Spool(tmp_path / "spool", stack.profile.identity_pool_id, person.username) as saved,
        ):
            write(sender, "one", "two")
            wait_until(lambda: saved.count() >= 2, saved.count)
            sender.terminate()
            assert "Saved but not sent: 2 messages." in finish(sender, 143)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
@pytest.mark.parametrize(
    ("limit", "ends"),
    [("ulimit -n 32", 3), ("ulimit -Sn 32", 0)],
    ids=["of the system", "that the program may raise"],
)
def test_many_connections_need_many_open_files(stack: Stack, limit: str, ends: int) -> None:
    command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *COMMAND]
    line = "pub -r files --lines --connections 50"
    told = run(line, stack.person().env, ends=ends, stdin="x\n", command=command).stderr
    assert "Traceback" not in told
    assert ("50 connections need" in told) is bool(ends)
