"""Sending through a spool, as any program can: which program sends, what it saves, and which events it reports."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from aws_iot.errors import NotAuthorized, ServiceRefused, TopicRefused, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.message import encode
from aws_iot.publishing.publisher import Connect
from aws_iot.publishing.reporter import (
    Connected,
    Event,
    Finished,
    OtherProgramFinished,
    OtherProgramSends,
    OthersWaiting,
    Rejected,
    SavingUntilConnected,
    Unsent,
)
from aws_iot.publishing.request import InputOptions, PublishRequest
from aws_iot.publishing.spool.sender import SpoolSender
from aws_iot.publishing.spool.store import Spool
from tests.fakes import POOL, FakeCloud

ONE = PublishRequest(InputOptions("lobby", "one"), POOL, encode("one"))
NOTHING = PublishRequest(InputOptions(), POOL)


def lines(text: bytes) -> PublishRequest:
    return PublishRequest(InputOptions("lobby", lines=True), POOL, stdin=io.BytesIO(text), rate=0)


@pytest.fixture
def events() -> list[Event]:
    """The events of the run."""
    return []


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """What another program has open."""
    with Spool(tmp_path, POOL, "alice") as spool:
        yield spool


def sender(
    spool: Spool,
    events: list[Event],
    request: PublishRequest,
    pause: Callable[[float], None] = lambda _: None,
    timeout: float = 10.0,
) -> SpoolSender:
    return SpoolSender(
        request, lambda: Spool(spool.folder, POOL, "alice"), events.append, timeout=timeout, pause=pause
    )


def sent(cloud: FakeCloud) -> list[bytes]:
    return [payload for _, payload, _ in cloud.published]


def test_a_single_message_is_saved_before_there_is_a_connection(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    saved = []

    def late(may_ask: bool) -> AbstractContextManager[object]:
        saved.append(spool.count())
        return connect(may_ask)

    sender(spool, events, ONE).run(late)  # type: ignore[arg-type]
    assert saved == [1]
    assert sent(cloud) == [encode("one")]
    assert isinstance(events[-1], Finished)
    assert spool.count() == 0


def test_it_sends_what_other_programs_saved_first(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    with pytest.raises(Unreachable):
        sender(spool, events, lines(b"one\ntwo\n")).run(unreachable)
    sender(spool, events, lines(b"three\n")).run(connect)
    assert sent(cloud) == [encode("one"), encode("two"), encode("three")]


def unreachable(_: bool) -> AbstractContextManager[list[Client]]:
    raise Unreachable("no network")


def test_messages_that_could_only_be_saved_are_counted(spool: Spool, events: list[Event]) -> None:
    with pytest.raises(Unreachable, match="no network"):
        sender(spool, events, lines(b"one\ntwo\n")).run(unreachable)
    assert events[-1] == Unsent(2)
    assert spool.count() == 2


def test_it_retries_to_connect_less_and_less_often_while_the_input_continues(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    reading, writing = os.pipe()
    waits: list[float] = []
    attempts: list[bool] = []

    def at_the_fourth_attempt(may_ask: bool) -> AbstractContextManager[object]:
        attempts.append(may_ask)
        waits.append(0.0)
        if len(attempts) < 4:
            raise Unreachable("no network")
        os.write(writing, b"one\n")
        os.close(writing)
        return connect(may_ask)

    def pause(seconds: float) -> None:
        waits[-1] += seconds

    with io.FileIO(reading) as stdin:
        request = PublishRequest(InputOptions("lobby", lines=True), POOL, stdin=stdin)
        sender(spool, events, request, pause).run(at_the_fourth_attempt)  # type: ignore[arg-type]
    assert attempts == [True, False, False, False]
    assert waits == [2.0, 3.0, 4.5, 0.0]
    told = [event for event in events if isinstance(event, SavingUntilConnected | Connected)]
    assert [getattr(event, "again", None) for event in told] == [False, True, True, None]
    assert isinstance(told[-1], Connected)
    assert sent(cloud) == [encode("one")]


def test_messages_of_others_are_reported_and_stay(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    with Spool(spool.folder, POOL, "bob") as bobs:
        bobs.add(ONE.outgoing("cd34", 1, "lobby", b"x"))
        sender(spool, events, NOTHING).run(connect)
        assert bobs.count() == 1
    assert events[0] == OthersWaiting(POOL, "bob", 1)
    assert sent(cloud) == []


def test_if_another_program_sends_it_waits_until_that_has_sent_its_messages(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    def pause(_: float) -> None:
        spool.remove(message.id for _, message in spool.unsent())

    with spool.sending():
        sender(spool, events, ONE, pause).run(connect)
    assert events == [OtherProgramSends(), OtherProgramFinished()]
    assert cloud.connections == []


@pytest.mark.parametrize(
    ("error", "kind"), [(TopicRefused("no"), NotAuthorized), (ServiceRefused("no"), ServiceRefused)]
)
def test_a_rejection_by_another_program_has_the_exit_code_of_its_cause(
    spool: Spool,
    events: list[Event],
    connect: Connect,
    error: NotAuthorized | ServiceRefused,
    kind: type[Exception],
) -> None:
    def pause(_: float) -> None:
        for _, message in spool.unsent():
            spool.reject(message.id, error)

    with spool.sending(), pytest.raises(kind, match="1 message was not sent"):
        sender(spool, events, ONE, pause).run(connect)
    assert [(event.number, str(event.error)) for event in events if isinstance(event, Rejected)] == [
        (1, "no")
    ]


def test_if_the_other_program_ends_it_sends_everything_itself(
    spool: Spool, events: list[Event], connect: Connect, cloud: FakeCloud
) -> None:
    spool.add(ONE.outgoing("cd34", 1, "lobby", encode("of the other program")))
    lock = spool.sending()
    assert lock.__enter__()

    def pause(_: float) -> None:
        lock.__exit__(None, None, None)

    sender(spool, events, ONE, pause).run(connect)
    assert sent(cloud) == [encode("of the other program"), encode("one")]
    assert isinstance(events[-1], Finished)


def test_another_program_that_sends_nothing_is_not_waited_for_without_end(
    spool: Spool, events: list[Event], connect: Connect
) -> None:
    with spool.sending(), pytest.raises(Unreachable, match="has sent nothing for 0 seconds"):
        sender(spool, events, ONE, timeout=0).run(connect)
    assert events[-1] == Unsent(1)
