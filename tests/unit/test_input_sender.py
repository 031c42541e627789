"""Sending an input, as any program can: what it sends, which events it reports, and how it ends."""

import io
from pathlib import Path

import pytest

from aws_iot.errors import InvalidMessage, LocalError, NotAuthorized, ServiceRefused, TopicRefused
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import encode
from aws_iot.publishing.checkpoint import Checkpoint
from aws_iot.publishing.input_sender import InputSender
from aws_iot.publishing.publisher import Connect
from aws_iot.publishing.reporter import Event, Finished, Interrupted, Progress, Rejected
from aws_iot.publishing.request import InputOptions, PublishRequest
from tests.fakes import POOL, FakeApp, FakeCloud


def lines(text: bytes) -> PublishRequest:
    return PublishRequest(InputOptions("lobby", lines=True), POOL, stdin=io.BytesIO(text), rate=0)


def sent(cloud: FakeCloud) -> list[bytes]:
    return [payload for _, payload, _ in cloud.published]


def test_it_sends_every_line_and_reports_the_result(cloud: FakeCloud, connect: Connect) -> None:
    events: list[Event] = []
    InputSender(lines(b"one\n\ntwo\n"), events.append).run(connect)
    assert sent(cloud) == [encode("one"), encode("two")]
    *progress, finished = events
    assert {type(event) for event in progress} == {Progress}
    assert progress[-1] == Progress(2, 2)
    assert isinstance(finished, Finished)
    assert (finished.acknowledged, finished.rejected) == (2, 0)
    assert [connection.closed for connection in cloud.connections] == [True]


def test_it_reports_rejections_and_changes_of_the_connection(
    app: FakeApp, cloud: FakeCloud, connect: Connect
) -> None:
    refusal = TopicRefused("not authorized to publish")
    cloud.refuses_payload, cloud.refusal = encode("two"), refusal
    changes: list[Lost | Restored] = [Lost("keep-alive"), Restored(3.0)]

    def put(connection: object) -> None:
        for change in changes:
            cloud.connections[-1].events.put(change)

    app.controls.on_connect = put
    events: list[Event] = []
    with pytest.raises(NotAuthorized, match="2 messages were not sent"):
        InputSender(lines(b"one\ntwo\n\xff\n"), events.append).run(connect)
    rejected = {event.number: event.error for event in events if isinstance(event, Rejected)}
    assert rejected.pop(2) is refusal
    assert [(number, type(error)) for number, error in rejected.items()] == [(3, InvalidMessage)]
    assert [event for event in events if isinstance(event, Lost | Restored)] == changes


def test_an_interrupted_run_says_whether_it_can_be_continued(
    cloud: FakeCloud, connect: Connect, tmp_path: Path
) -> None:
    cloud.stop_after = 1
    for checkpoint in (None, Checkpoint(tmp_path / "checkpoint")):
        cloud.published.clear()
        events: list[Event] = []
        with pytest.raises(KeyboardInterrupt):
            InputSender(lines(b"one\ntwo\n"), events.append, checkpoint).run(connect)
        assert events[-1] == Interrupted(2, 1, 0, can_continue=checkpoint is not None)


def test_with_a_checkpoint_it_retries_only_what_was_rejected(
    cloud: FakeCloud, connect: Connect, tmp_path: Path
) -> None:
    cloud.refuses_payload = encode("two")
    events: list[Event] = []
    with pytest.raises(ServiceRefused):
        InputSender(lines(b"one\ntwo\n"), events.append, Checkpoint(tmp_path / "checkpoint")).run(connect)
    cloud.refuses_payload = None
    InputSender(lines(b"one\ntwo\n"), events.append, Checkpoint(tmp_path / "checkpoint")).run(connect)
    assert sent(cloud) == [encode("one"), encode("two")]
    finished = [
        (event.acknowledged, event.checkpoint_kept) for event in events if isinstance(event, Finished)
    ]
    assert finished == [(1, True), (1, False)]
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_of_another_room_is_detected_before_connecting(
    cloud: FakeCloud, connect: Connect, tmp_path: Path
) -> None:
    cloud.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        InputSender(lines(b"one\ntwo\n"), lambda _: None, Checkpoint(tmp_path / "c")).run(connect)
    options = InputOptions("ops", lines=True)
    request = PublishRequest(options, POOL, stdin=io.BytesIO(b"one\n"))
    with pytest.raises(LocalError, match="for the room 'lobby', not for the room 'ops'"):
        InputSender(request, lambda _: None, Checkpoint(tmp_path / "c")).run(connect)
    assert len(cloud.connections) == 1
