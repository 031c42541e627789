"""What a person reads about a lost connection, with and without `--quiet`."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

import click
import pytest

from aws_iot.cli.commands.pub.options import DeliveryOptions
from aws_iot.cli.commands.pub.reporter import PubReporter
from aws_iot.cli.ui import output
from aws_iot.cli.ui.connection_reporter import LONG_OUTAGE_SECONDS, ConnectionReporter
from aws_iot.cli.ui.output import QUIET
from aws_iot.errors import SignInRefused, Unreachable
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.publishing.reporter import (
    Connected,
    Event,
    Interrupted,
    OtherProgramFinished,
    OtherProgramSends,
    OthersWaiting,
    Progress,
    Rejected,
    SavingForNextRun,
    SavingUntilConnected,
)
from aws_iot.publishing.request import InputOptions, PublishRequest
from tests import terminal

LOST, AGAIN = Lost("no network"), Lost("no network", again=True)
LONG = "No connection for a minute: no network. Still trying; Ctrl-C stops.\n"


@dataclass
class Clock:
    """Shows the time that a test sets, in seconds."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A reporter and its clock."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.report = ConnectionReporter(clock=self.clock)


@pytest.fixture
def quiet() -> Iterator[None]:
    """A command that was given `--quiet`."""
    with click.Context(click.Command("sub")) as context:
        context.meta[QUIET] = True
        yield


def test_without_quiet_an_outage_is_reported_when_it_begins_and_when_it_is_long(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    for event in (LOST, AGAIN):
        world.report(event)
    world.clock.now += LONG_OUTAGE_SECONDS
    world.report(AGAIN)
    world.report(AGAIN)
    world.report(Restored(61.0))
    assert capsys.readouterr().err == (
        f"connection lost: no network; reconnecting\n{LONG}connection restored after 1 min 1 s\n"
    )


@pytest.mark.usefixtures("quiet")
def test_with_quiet_only_a_long_outage_is_reported_once_and_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World()
    world.report(LOST)
    world.clock.now += LONG_OUTAGE_SECONDS - 1
    world.report(AGAIN)
    world.report.check()
    assert capsys.readouterr().err == ""
    world.clock.now += 1
    world.report(AGAIN)
    world.clock.now += 10 * LONG_OUTAGE_SECONDS
    world.report(AGAIN)
    world.report.check()
    assert capsys.readouterr().err == LONG
    world.report(Restored(3.0))
    assert capsys.readouterr().err == "connection restored after 3.0 s\n"


@pytest.mark.usefixtures("quiet")
def test_with_quiet_short_outages_are_not_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    for _ in range(3):
        world.report(LOST)
        world.clock.now += LONG_OUTAGE_SECONDS - 1
        world.report(Restored())
        world.clock.now += LONG_OUTAGE_SECONDS
    world.report.check()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("restored", "line"),
    [
        (Restored(0.2, may_miss=True), "connection restored after 0.2 s: messages may be missing\n"),
        (
            Restored(0.2, forgotten=True, may_miss=True),
            "connection restored after 0.2 s; the broker has discarded the session: messages may be missing\n",
        ),
        (Restored(0.2), ""),
    ],
)
def test_with_quiet_too_it_says_that_messages_may_be_missing(
    restored: Restored, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    world.report(LOST)
    world.report(restored)
    assert capsys.readouterr().err == line


@pytest.fixture
def pub() -> tuple[PubReporter, Clock]:
    """The reporter of `pub --lines`."""
    request = PublishRequest(InputOptions("lobby", lines=True), "pool")
    delivery = DeliveryOptions(1, False, 95, 1, None, None)
    clock = Clock()
    return PubReporter(request, delivery, "default", None, clock), clock


@pytest.mark.usefixtures("quiet")
def test_pub_reports_a_long_outage_between_two_attempts_to_reconnect(
    pub: tuple[PubReporter, Clock], capsys: pytest.CaptureFixture[str]
) -> None:
    report, clock = pub
    report(LOST)
    clock.now += LONG_OUTAGE_SECONDS
    for _ in range(3):
        report(Progress(2, 1))
    assert capsys.readouterr().err == LONG


@pytest.mark.usefixtures("quiet")
def test_pub_reports_that_it_could_not_connect_for_a_long_time(
    pub: tuple[PubReporter, Clock], capsys: pytest.CaptureFixture[str]
) -> None:
    report, clock = pub
    error = Unreachable("no network")
    report(SavingUntilConnected(error))
    clock.now += LONG_OUTAGE_SECONDS
    assert capsys.readouterr().err == ""
    report(SavingUntilConnected(error, again=True))
    report(SavingUntilConnected(error, again=True))
    report(Connected())
    assert capsys.readouterr().err == LONG + "Connected. Sending the saved messages.\n"


EVENTS_WHILE_TYPING: list[Event] = [
    LOST,
    Restored(3.0),
    Rejected(1, Unreachable("no network")),
    Interrupted(0, 0, 0),
    OthersWaiting("pool", "bob", 2),
    SavingUntilConnected(Unreachable("no network")),
    SavingForNextRun(SignInRefused("the session was revoked")),
    Connected(),
    OtherProgramSends(),
    OtherProgramFinished(),
]


@terminal.NEEDED
@pytest.mark.parametrize("event", EVENTS_WHILE_TYPING, ids=lambda event: type(event).__name__)
def test_no_event_of_pub_continues_the_line_that_a_person_types(event: Event, tmp_path: Path) -> None:
    request = PublishRequest(InputOptions("lobby", lines=True), "pool", is_interactive=True)
    delivery = DeliveryOptions(1, False, 95, 1, None, tmp_path)
    keyboard, screen = os.openpty()
    with os.fdopen(keyboard, "rb", buffering=0) as shown, os.fdopen(screen, "w") as stderr:
        with contextlib.redirect_stderr(stderr):
            PubReporter(request, delivery, "default", None)(event)
            output.error("the end")
        lines = read_through(shown, b"the end")
    assert lines.startswith(b"\r\n")


def read_through(shown: FileIO, last: bytes) -> bytes:
    """What a terminal shows, up to and with `last`."""
    read = b""
    while last not in read:
        read += shown.read(4096) or b""
    return read
