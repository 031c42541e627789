"""What a durable session of the local stack's broker holds."""

from aws_iot.local import notices
from aws_iot.local.stored_messages import BYTES_PER_MESSAGE, StoredMessages


def message(number: int) -> tuple[str, bytes, int, bytes, float]:
    return ("lobby", b"%d" % number, 1, b"", 0.0)


def test_it_holds_messages_up_to_its_size_then_deletes_the_oldest_with_a_notice() -> None:
    notices.take()
    stored = StoredMessages(limit=100 * (BYTES_PER_MESSAGE + 10))
    for number in range(100):
        stored.append(message(number))
    assert len(stored) == 100
    assert not notices.take()
    for number in range(100, 110):
        stored.append(message(number))
    assert stored == [message(number) for number in range(11, 110)]
    (notice,) = notices.take()
    assert "Its 11 oldest messages are lost." in notice


def test_what_was_delivered_makes_room() -> None:
    notices.take()
    stored = StoredMessages(limit=10 * (BYTES_PER_MESSAGE + 10))
    for _ in range(3):
        for number in range(10):
            stored.append(message(number))
        stored.clear()
    assert not notices.take()
