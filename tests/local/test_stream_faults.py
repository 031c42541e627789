"""Streams through broken connections, dying brokers and expiring credentials: nothing is lost or duplicated.

Each case has a short form, and some a long one, which `make test-long` runs.
"""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aws_iot.errors import WrongClock
from aws_iot.messaging.connection import Lost, Restored
from tests.fault_proxy import FaultProxy, Way
from tests.in_process import run_here
from tests.processes import Person, Running, Stack
from tests.streams import ROOM, Listener, connected, numbers, running, through
from tests.waiting import BRIEF_SECONDS, DEADLINE_SECONDS

FAULTS: list[Callable[[FaultProxy], object]] = [
    lambda proxy: proxy.cut(),
    lambda proxy: proxy.cut(reset=True),
    lambda proxy: proxy.half_close(Way.UP),
    lambda proxy: proxy.half_close(Way.DOWN),
    lambda proxy: proxy.cut_after(1_234, Way.UP, reset=True),
    lambda proxy: proxy.cut_after(123, Way.DOWN),
]

PUB = f"pub -r {ROOM} --lines"


def long(*values: object) -> Any:
    """The form of a case that `make test-long` runs."""
    return pytest.param(*values, id="long", marks=[pytest.mark.long, pytest.mark.timeout(900)])


def short(*values: object) -> Any:
    """The form of a case that every run of the suite runs."""
    return pytest.param(*values, id="short")


@contextmanager
def proxied(stack: Stack, **options: Any) -> Iterator[FaultProxy]:
    """A proxy before the broker of a stack."""
    with FaultProxy(stack.profile.endpoint.port, **options) as proxy:
        yield proxy


def ends_well(pub: Running, count: int) -> list[str]:
    """Check that `pub` has sent everything and reports it. Returns its other status lines."""
    assert pub.wait() == 0, pub.report()
    assert f"{count:,} of {count:,} messages" in pub.stderr[-1]
    return pub.stderr[:-1]


# -- the network


@pytest.mark.parametrize(("count", "rate", "cuts"), [long(10_000, 1_000, 20), short(1_000, 1_000, 5)])
def test_nothing_is_lost_or_duplicated_through_cuts(
    stack: Stack, tmp_path: Path, count: int, rate: int, cuts: int
) -> None:
    with (
        proxied(stack) as proxy,
        Listener.start(stack) as listener,
        running(
            f"{PUB} --file {numbers(tmp_path, count)} --rate {rate}",
            through(stack, stack.person(), proxy.port),
        ) as pub,
    ):
        for number in range(1, cuts + 1):
            listener.wait_for(count * number // (cuts + 1))
            FAULTS[number % len(FAULTS)](proxy)
            listener.wait_for(count * number // (cuts + 1) + 110)  # more than what was in flight
        listener.assert_all_once(count)
        told = ends_well(pub, count)
    assert listener.order == sorted(listener.order)
    assert len([line for line in told if "connection lost" in line]) == cuts
    assert len([line for line in told if "connection restored" in line]) == cuts


@pytest.mark.parametrize(
    ("timeout", "seconds"), [long(10, 25), short(int(BRIEF_SECONDS), 1.5 * BRIEF_SECONDS)]
)
def test_nothing_is_lost_or_duplicated_through_a_stall(
    stack: Stack, tmp_path: Path, timeout: int, seconds: float
) -> None:
    # It lasts longer than `--timeout`, so messages are sent again.
    with (
        proxied(stack) as proxy,
        Listener.start(stack) as listener,
        running(
            f"{PUB} --file {numbers(tmp_path, 500)} --rate 500 --timeout {timeout}",
            through(stack, stack.person(), proxy.port),
        ) as pub,
    ):
        listener.wait_for(200)
        proxy.stall()
        with pytest.raises(AssertionError, match="nothing more"):
            listener.wait_until(lambda: False, seconds)
        proxy.flow()
        listener.assert_all_once(500)
        told = ends_well(pub, 500)
    assert f"connection lost: no acknowledgement for {timeout} seconds; reconnecting" in told


@pytest.mark.long
def test_a_slow_network_only_slows_a_stream(stack: Stack, tmp_path: Path) -> None:
    with (
        proxied(stack, bytes_per_second=100_000) as proxy,
        Listener.start(stack) as listener,
        running(
            f"{PUB} --file {numbers(tmp_path, 500)} --rate 0", through(stack, stack.person(), proxy.port)
        ) as pub,
    ):
        listener.assert_all_once(500)
        assert ends_well(pub, 500) == []


# -- the broker


def test_nothing_is_lost_or_duplicated_when_the_broker_is_killed_and_restarted(tmp_path: Path) -> None:
    # The broker loses what it holds. So it is killed when it has passed on all that it acknowledged, which it does in
    # order, and the publisher reconnects only after the listener.
    with Stack.start(tmp_path, "--keep") as first, proxied(first) as proxy, Listener.start(first) as listener:
        env = through(first, first.person(), proxy.port)
        with running(f"{PUB} --file {numbers(tmp_path, 1_000)} --rate 1000", env) as pub:
            listener.wait_for(300)
            proxy.stall()
            run_here(f"pub -r {ROOM} -m -1", first.person().env)
            listener.wait_until(lambda: -1 in listener.heard)
            del listener.heard[-1]
            first.process.kill()
            proxy.refuse()
            with Stack.start(tmp_path, "--keep") as second:
                assert second.profile == first.profile
                listener.wait_until(
                    lambda: len(listener.links) > 1 and isinstance(listener.links[-1], Restored)
                )
                proxy.flow()
                proxy.admit()
                listener.assert_all_once(1_000)
                told = ends_well(pub, 1_000)
    assert "connection lost" in told[0]
    assert "connection restored" in told[-1]


@pytest.mark.parametrize(
    ("credentials", "link", "seconds", "ends"), [long(20, 60, 130, 2), short(1, 2, 5, 2)]
)
def test_nothing_is_lost_or_duplicated_when_connections_and_credentials_expire(
    tmp_path: Path, credentials: int, link: int, seconds: int, ends: int
) -> None:
    options = f"--credentials-seconds {credentials} --link-seconds {link}"
    count = seconds * 50
    with Stack.start(tmp_path, options) as stack:
        speaker = stack.person()
        with (
            Listener.start(stack, durable="faults") as listener,
            running(f"{PUB} --file {numbers(tmp_path, count)} --rate 50", speaker.env) as pub,
        ):
            listener.assert_all_once(count)
            assert pub.wait() == 0
    told = [line for line in pub.stderr if "connect" in line]
    cause = "its credentials have expired" if credentials == 1 else "the connection was cut"
    assert len(told) >= 2 * ends, pub.report()  # a slower machine sees more connections end
    assert len(told) % 2 == 0, pub.report()
    assert all(cause in line for line in told[::2])


def test_another_program_of_the_same_name_takes_a_connection_over(stack: Stack) -> None:
    env = stack.person().env
    with running("sub --durable same", env) as first:
        first.wait_for("Receiving")
        with running("sub --durable same", env) as second:
            assert first.wait() == 6, first.report()
            assert "another program took over the session 'same'" in first.stderr[-2]
            second.wait_for("Receiving")
            assert not any("lost" in line for line in first.stderr + second.stderr)


@pytest.mark.parametrize("hours", [pytest.param(-1, marks=pytest.mark.long), 1])
def test_a_wrong_clock_ends_the_connection_when_it_reconnects(stack: Stack, hours: int) -> None:
    wrong = timedelta()
    with (
        proxied(stack) as proxy,
        connected(
            stack, stack.person(), port=proxy.port, now=lambda: stack.app().settings.now() + wrong
        ) as connection,
    ):
        wrong = timedelta(hours=hours)
        proxy.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        with pytest.raises(WrongClock, match="60 minutes"):
            connection.receive(DEADLINE_SECONDS)


# -- what a policy forbids


def forbidden(stack: Stack, person: Person, room: str) -> None:
    """Allow a person every room except one."""
    where = f"arn:aws:iot:{stack.profile.iot_region}:*"
    allowed = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
    denied = {
        "Effect": "Deny",
        "Action": "iot:Publish",
        "Resource": f"{where}:topic/{stack.profile.identity_pool_id}/{room}/*",
    }
    stack.attach_policy_of_its_own(
        person.identity, json.dumps({"Version": "2012-10-17", "Statement": [allowed, denied]})
    )


@pytest.mark.parametrize(
    ("shape", "acknowledged"),
    [
        ("puback", "50 of 51 messages acknowledged"),
        ("disconnect", "50 of 51 messages sent were acknowledged"),
        ("cut", "50 of 51 messages sent were acknowledged"),
    ],
)
def test_a_forbidden_room_is_reported_with_the_exit_code_of_its_cause_however_the_broker_rejects_it(
    tmp_path: Path, shape: str, acknowledged: str
) -> None:
    with Stack.start(tmp_path, f"--refusal {shape}") as stack:
        person = stack.person(accepted=False)
        forbidden(stack, person, "secret")
        lines = [{"room": ROOM, "text": str(number)} for number in range(50)]
        lines.append({"room": "secret", "text": "50"})
        file = tmp_path / "lines"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        printed = run_here(f"pub --json-lines --rate 0 --file {file}", person.env, ends=5).stderr
        assert acknowledged in printed
        assert "not authorized to publish to" in printed
        assert "/secret/" in printed


# -- Ctrl-C and SIGTERM


AT_ONCE_SECONDS = 2.0
PATIENT = "--timeout 1000"
"""With this, what would wait for the network before it ends does not end in time, however long that is."""

CTRL_C = pytest.param(signal.SIGINT, 130, DEADLINE_SECONDS, id="Ctrl-C")
SIGTERM = pytest.param(signal.SIGTERM, 143, DEADLINE_SECONDS, id="SIGTERM")
AT_ONCE = [
    pytest.param(*form.values[:2], AT_ONCE_SECONDS, id=f"{form.id} at once", marks=pytest.mark.long)
    for form in (CTRL_C, SIGTERM)
]


def assert_end(processes: list[Running], number: int, code: int, seconds: float) -> None:
    for process in processes:
        process.process.send_signal(number)
    for process in processes:
        assert process.wait(seconds) == code, process.report()


@pytest.mark.parametrize(("number", "code", "seconds"), [CTRL_C, *AT_ONCE])
def test_a_signal_ends_it_while_an_upgrade_is_not_answered(
    stack: Stack, tmp_path: Path, number: int, code: int, seconds: float
) -> None:
    with proxied(stack, is_mute=True) as proxy:
        env = through(stack, stack.person(), proxy.port)
        with (
            running(f"sub {PATIENT}", env) as sub,
            running(f"{PUB} {PATIENT} --file {numbers(tmp_path, 10)}", env) as pub,
        ):
            proxy.wait_for_links(2)
            assert_end([sub, pub], number, code, seconds)


@pytest.mark.parametrize(("number", "code", "seconds"), [SIGTERM, *AT_ONCE])
def test_a_signal_ends_it_while_the_server_is_silent(
    stack: Stack, tmp_path: Path, number: int, code: int, seconds: float
) -> None:
    with proxied(stack) as proxy:
        env = through(stack, stack.person(), proxy.port)
        with (
            Listener.start(stack) as listener,
            running(f"sub {PATIENT}", env) as sub,
            running(f"{PUB} {PATIENT} --file {numbers(tmp_path, 10_000)}", env) as pub,
        ):
            sub.wait_for("Receiving")
            listener.wait_for(10)
            proxy.stall()
            assert_end([sub, pub], number, code, seconds)


@pytest.mark.parametrize(("number", "code", "seconds"), [CTRL_C, *AT_ONCE])
def test_a_signal_ends_it_while_it_tries_to_come_back(
    stack: Stack, number: int, code: int, seconds: float
) -> None:
    with (
        proxied(stack) as proxy,
        running(f"sub {PATIENT}", through(stack, stack.person(), proxy.port)) as sub,
    ):
        sub.wait_for("Receiving")
        proxy.is_mute = True
        proxy.cut()
        sub.wait_for("connection lost")
        proxy.wait_for_links(len(proxy.accepted) + 1)
        assert_end([sub], number, code, seconds)
