"""Streams on the local stack, as real processes: everything arrives, once, in order; a killed program loses nothing."""

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aws_iot.app import App
from aws_iot.auth.credentials import Credentials
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.publisher import Callbacks, Publisher
from tests.fakes import FakeCloud
from tests.fault_proxy import FaultProxy
from tests.processes import COMMAND, DEADLINE_SECONDS, Running, Stack, run
from tests.scripted_broker import Kind, Packet, ScriptedBroker, agreeable, puback
from tests.streams import through

PER_SECOND = 100
"""AWS IoT Core takes so many publishes of a connection: docs.aws.amazon.com/general/latest/gr/iot-core.html"""


@contextmanager
def speaking(env: dict[str, str], line: str) -> Iterator["subprocess.Popen[str]"]:
    """A command that is written to while it runs."""
    pipe = subprocess.PIPE
    command = [*COMMAND, *shlex.split(line)]
    with subprocess.Popen(command, env=env, stdin=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def say(process: "subprocess.Popen[str]", *lines: str) -> None:
    assert process.stdin
    process.stdin.write("".join(f"{line}\n" for line in lines))
    process.stdin.flush()


def told(process: "subprocess.Popen[str]", code: int) -> str:
    """What it says on stderr until it ends with this code, its input being over."""
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == code, said
    return said


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
            publisher = Publisher([rooms], Callbacks(lambda *_: None, happened.append))
            for number in range(1, 351):
                if number == 171:
                    broker.cut()
                publisher.publish(number, Outgoing("lobby", b"x", str(number)))
            publisher.finish()
        finally:
            connection.close()
    assert publisher.stats.acknowledged == 350
    assert [type(event) for event in happened] == [Lost, Restored]
    assert discarded == 0


def test_a_killed_program_s_spool_is_sent_by_the_next_run(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "spooled")
    try:
        # One in two seconds: what was read and not sent yet waits in the spool, and dies with no one.
        with speaking(person.env, f"pub -r spooled --lines --rate 0.5 --spool {spool}") as speaker:
            say(speaker, "first", "second")
            listener.wait_for('"first"')
            speaker.kill()
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
        line = f"pub -r later --lines --spool {tmp_path / 'spool'}"
        with speaking(through(stack, person, proxy.port), line) as speaker:
            try:
                say(speaker, "first", "second")
                assert speaker.stderr
                assert "is kept in" in speaker.stderr.readline()
                proxy.admit()
                listener.wait_for('"second"')
                say(speaker, "third")
                assert "3 of 3 messages acknowledged" in told(speaker, 0)
                listener.wait_for('"third"')
                assert texts(listener) == ["first", "second", "third"]
            finally:
                listener.kill()


def test_a_second_program_leaves_its_message_to_the_one_that_sends(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "shared")
    try:
        with speaking(person.env, f"pub -r shared --lines --spool {spool}") as first:
            say(first, "one")
            listener.wait_for('"one"')
            second = run(f"pub -r shared -m two --spool {spool}", person.env)
            assert f"Another program sends what waits in {spool}, and this as well." in second.stderr
            assert "The other program has sent it." in second.stderr
            listener.wait_for('"two"')
            say(first, "three")
            assert "3 of 3 messages acknowledged" in told(first, 0)
        listener.wait_for('"three"')
        assert texts(listener) == ["one", "two", "three"]
    finally:
        listener.kill()


def test_what_the_program_that_sends_was_refused_is_told_to_who_said_it(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "shared/refused")
    try:
        with speaking(person.env, f"pub -r shared/refused --lines --spool {spool}") as first:
            say(first, "one")
            listener.wait_for('"one"')
            retaining = run(f"pub -r shared/refused -m two --retain --spool {spool}", person.env, ends=7)
            assert "Message 1 is not sent: not authorized to publish" in retaining.stderr
            assert "A message that was kept is not sent" in told(first, 7)
    finally:
        listener.kill()


def test_a_program_that_has_to_leave_it_to_another_goes_on_where_that_one_ends(
    stack: Stack, tmp_path: Path
) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "heirs")
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        proxy.refuse()
        try:
            with speaking(
                through(stack, person, proxy.port), f"pub -r heirs --lines --spool {spool}"
            ) as first:
                say(first, "one", "two")
                assert first.stderr
                assert "is kept in" in first.stderr.readline()
                late = run(f"pub -r heirs -m three --spool {spool} --timeout 1", person.env, ends=6)
                assert "has sent nothing for 1 seconds" in late.stderr
                assert "Kept, and still to be sent: 3 messages." in late.stderr
                with speaking(person.env, f"pub -r heirs --lines --spool {spool}") as second:
                    say(second, "four")
                    assert second.stderr
                    assert "Another program sends" in second.stderr.readline()
                    first.kill()
                    listener.wait_for('"four"')
                    told(second, 0)
            assert texts(listener) == ["one", "two", "three", "four"]
        finally:
            listener.kill()


def test_while_the_connection_is_lost_all_that_is_said_is_kept(stack: Stack, tmp_path: Path) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "outage")
    count = 1_000
    with (
        FaultProxy(stack.profile.endpoint.port) as proxy,
        speaking(
            through(stack, person, proxy.port), f"pub -r outage --lines --rate 0 --spool {spool}"
        ) as speaker,
        App(tmp_path / "unused").spool(spool, stack.profile.identity_pool_id, person.username) as kept,
    ):
        try:
            say(speaker, "first")
            listener.wait_for('"first"')
            proxy.refuse()
            proxy.cut()
            say(speaker, *map(str, range(count)))
            ends = time.monotonic() + DEADLINE_SECONDS
            while kept.count() < count:
                assert time.monotonic() < ends
                time.sleep(0.05)
            proxy.admit()
            told(speaker, 0)
            listener.wait_for(f'"{count - 1}"')
            assert texts(listener) == ["first", *map(str, range(count))]
        finally:
            listener.kill()


def test_with_nothing_more_to_say_a_lost_connection_is_not_waited_for_for_ever(
    stack: Stack, tmp_path: Path
) -> None:
    person, spool = stack.person(), tmp_path / "spool"
    listener = listening(stack, person.env, "given-up")
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        try:
            line = f"pub -r given-up --lines --spool {spool} --timeout 1"
            with speaking(through(stack, person, proxy.port), line) as speaker:
                say(speaker, "one")
                listener.wait_for('"one"')
                proxy.refuse()
                proxy.cut()
                say(speaker, "two")
                said = told(speaker, 6)
            assert "the connection has been lost for 1 seconds" in said
            assert "Kept, and still to be sent: 1 message." in said
            run(f"pub --spool {spool}", person.env)
            listener.wait_for('"two"')
            assert texts(listener) == ["one", "two"]
        finally:
            listener.kill()


def test_what_is_in_a_pipe_is_kept_although_it_is_ended_while_it_connects(
    stack: Stack, tmp_path: Path
) -> None:
    person = stack.person()
    with FaultProxy(stack.profile.endpoint.port, is_mute=True) as proxy:
        line = f"pub -r lobby --lines --spool {tmp_path}/spool"
        with (
            speaking(through(stack, person, proxy.port), line) as speaker,
            App(tmp_path / "unused").spool(
                tmp_path / "spool", stack.profile.identity_pool_id, person.username
            ) as kept,
        ):
            say(speaker, "one", "two")
            ends = time.monotonic() + DEADLINE_SECONDS
            while kept.count() < 2:
                assert time.monotonic() < ends
                time.sleep(0.05)
            speaker.terminate()
            assert "Kept, and still to be sent: 2 messages." in told(speaker, 143)
