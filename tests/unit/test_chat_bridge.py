"""How the bridge takes what the threads tell to the state."""

from datetime import UTC, datetime

from aws_iot.chat.bridge import joined
from aws_iot.chat.model import events as on
from aws_iot.messaging.message import Message

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def message(text: str, room: str = "lobby") -> Message:
    return Message(room, "us-east-1:b0b", text, text.encode(), AT, text, None, "bob")


def test_messages_that_follow_one_another_are_one_event_and_nothing_changes_its_place() -> None:
    one, two, three, four = (
        message("one"),
        message("two", "ops"),
        message("three"),
        message("four"),
    )
    events: list[on.Event] = [
        on.Received([one, two]),
        on.Received([three]),
        on.Acknowledged("an-id"),
        on.Acknowledged("another"),
        on.Received([four]),
    ]
    assert [*joined(events)] == [
        on.Received([one, two, three]),
        on.Acknowledged("an-id"),
        on.Acknowledged("another"),
        on.Received([four]),
    ]
    assert [*joined([])] == []
