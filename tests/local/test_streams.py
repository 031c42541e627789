"""Streams on the local stack, as real processes: everything arrives, once, in order; a killed program loses nothing."""

import json
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aws_iot.app import App
from aws_iot.connection import Lost, Restored
from aws_iot.credentials import Credentials
from aws_iot.stream import Outgoing, Stream
from tests.fakes import FakeCloud
from tests.fault_proxy import FaultProxy
from tests.processes import COMMAND, DEADLINE_SECONDS, Running, Stack, run
from tests.scripted_broker import Kind, Packet, ScriptedBroker, agreeable, puback
from tests.streams import through

PER_SECOND = 100
"""AWS IoT Core takes so many publishes of a connection: docs.aws.amazon.com/general/latest/gr/iot-core.html"""


def listening(stack: Stack, env: dict[str, str], room: str) -> Running:
    listener = Running(f"sub -r {room} --json", env)
    listener.wait_for("Listening")
    return listener


def texts(listener: Running) -> list[str]:
    return [json.loads(line)["text"] for line in listener.stdout]


def test_lines_arrive_once_and_in_order(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "stream")
    try:
        lines = tmp_path / "lines"
        lines.write_text("".join(f"line {number}\n" for number in range(1500)))
        done = run(f"pub -r stream --lines --rate 0 --file {lines}", person.env)
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
        run(f"pub -r bulk --lines --rate 0 --connections 4 --file {tmp_path}/lines", person.env)
        run("pub -r bulk -m last", person.env)
        listener.wait_for('"last"')
        assert sorted(texts(listener)[:200], key=int) == [str(number) for number in range(200)]
    finally:
        listener.kill()


def test_the_broker_s_limit_is_kept_also_by_what_is_sent_again_after_a_cut() -> None:
    """The broker discards what exceeds 100 publishes in any second, as AWS IoT Core does."""
    came: list[float] = []
    discarded = 0

    def limited(packet: Packet) -> bytes | None:
        nonlocal discarded
        if packet.kind is not Kind.PUBLISH:
            return agreeable(packet)
        if packet.link == 1 and len(came) > 80:
            return b""  # it acknowledges nothing any more, so that much waits when the link is cut
        came.append(time.monotonic())
        if sum(at > came[-1] - 1 for at in came) <= PER_SECOND:
            return puback(packet)
        discarded += 1
        return b""

    identity, keys = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222", ("ASIA", "secret", "token")
    credentials = Credentials(identity, *keys, datetime.now(UTC) + timedelta(hours=1))
    with ScriptedBroker(limited) as broker:
        profile = replace(FakeCloud().profile, endpoint=broker.endpoint)
        app = App()
        connection = app.connect(profile, identity, lambda: credentials)
        try:
            rooms = app.rooms(profile, connection, identity, "al")
            happened: list[Lost | Restored] = []
            stream = Stream([rooms], on_link=happened.append, on_refused=lambda *_: None)
            for number in range(1, 351):
                if number == 171:
                    broker.cut()
                stream.put(Outgoing(number, "lobby", b"x", str(number)))
            stream.finish()
        finally:
            connection.close()
    assert stream.tally.acknowledged == 350
    assert [type(event) for event in happened] == [Lost, Restored]
    assert discarded == 0


def test_a_killed_program_s_spool_is_sent_by_the_next_run(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "spooled")
    spool = tmp_path / "spool"
    try:
        # One a second: what was read and not sent yet waits in the spool, and dies with no one.
        with subprocess.Popen(
            [*COMMAND, "pub", "-r", "spooled", "--lines", "--rate", "0.5", "--spool", str(spool)],
            env=person.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin
            process.stdin.write(b"first\nsecond\n")
            process.stdin.flush()
            listener.wait_for('"first"')
            process.kill()
            process.wait(DEADLINE_SECONDS)
        run(f"pub -r spooled -m third --spool {spool}", person.env)
        listener.wait_for('"third"')
        assert texts(listener) == ["first", "second", "third"]
    finally:
        listener.kill()


def test_what_is_said_without_a_network_is_sent_when_it_is_back_while_more_may_come(
    stack: Stack, tmp_path: Path
) -> None:
    person = stack.person()
    listener = listening(stack, person.env, "later")
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        proxy.refuse()
        command = [*COMMAND, "pub", "-r", "later", "--lines", "--spool", str(tmp_path / "spool")]
        with subprocess.Popen(
            command,
            env=through(stack, person, proxy.port),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdin
                assert process.stderr
                process.stdin.write("first\nsecond\n")
                process.stdin.flush()
                assert "is kept in" in process.stderr.readline()
                proxy.admit()
                listener.wait_for('"second"')
                process.stdin.write("third\n")
                process.stdin.close()
                told = process.stderr.read()
                assert process.wait(DEADLINE_SECONDS) == 0, told
                assert "3 of 3 messages acknowledged" in told
                listener.wait_for('"third"')
                assert texts(listener) == ["first", "second", "third"]
            finally:
                process.kill()
                listener.kill()
