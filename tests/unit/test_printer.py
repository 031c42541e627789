"""The printer of `sub` on a terminal: lines that fit it, also after it was resized."""

from datetime import UTC, datetime

import pytest

from aws_iot.cli.commands.sub.printer import TerminalPrinter
from aws_iot.cli.ui.formatting import message_line
from aws_iot.messaging.deliveries import Acknowledgements, Delivery
from aws_iot.messaging.message import Message

BOB = "us-east-1:b0b00000-0000-0000-0000-000000000002"
RECEIVED = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)


def delivery(text: str) -> Delivery:
    return Delivery(
        Message("lobby", BOB, text, b"", RECEIVED, name="bob"), 1, Acknowledgements(lambda _: None)
    )


def test_a_resized_terminal_counts_from_the_next_message_on(capfd: pytest.CaptureFixture[str]) -> None:
    widths = [80, 50]
    printer = TerminalPrinter(message_line, lambda: widths[0])
    for _ in range(2):
        printer.take(delivery("x" * 100))
        printer.flush()
        del widths[0]
        widths.append(0)
    wide, narrow = capfd.readouterr().out.split("20")[1:]
    assert max(map(len, wide.splitlines())) == 80
    assert max(map(len, narrow.splitlines())) == 50
