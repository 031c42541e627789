"""Templates for messages: fields, widths and times, and nothing else."""

from datetime import UTC, datetime

import pytest

from aws_iot.cli.ui.template import FIELDS, InvalidTemplate, Template
from aws_iot.messaging.message import Message, encode

IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
RECEIVED = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC)
SAID = Message(
    "ops/db", IDENTITY, "hello", encode("hello"), RECEIVED, "id-1", RECEIVED, "alice", 0, True, "edit", "id-0"
)


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{room} {short} {name}: {text}", "ops/db 4f9fa251 alice: hello"),
        ("{sender}|{id}|{qos}|{retained}", f"{IDENTITY}|id-1|0|true"),
        ("{kind} {re}", "edit id-0"),
        ("{raw}", '{"msg":"hello"}'),
        ("{received} {sent}", "2026-01-31T23:59:59.999Z 2026-01-31T23:59:59.999Z"),
        ("{sent:%H.%M} {received:%d.%m.}", "23.59 31.01."),
        ("[{name:>7}] [{name:<7}] [{name:^7}] [{name:7}]", "[  alice] [alice  ] [ alice ] [alice  ]"),
        ("{text:.2} {text:*>7.3}", "he ****hel"),
        ("{{{text}}} {{text}}", "{hello} {text}"),
        (r"{room}\t{text}\n\\n\x", "ops/db\thello\n\\n\\x"),
        ("{time:%Y}", RECEIVED.astimezone().strftime("%Y")),
        ("{time}", RECEIVED.astimezone().strftime("%Y-%m-%d %H:%M:%S")),
    ],
)
def test_fields_are_filled_in(template: str, line: str) -> None:
    assert Template(template).filled(SAID) == line


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_a_message_lacks_is_empty(field: str) -> None:
    bare = Message("lobby", "device-7", "", b"\xff", RECEIVED)
    assert isinstance(Template(f"{{{field}}}{{{field}:>9}}").filled(bare), str)


def test_the_short_form_of_a_sender_that_is_not_an_identity_is_the_sender() -> None:
    assert Template("{short}").filled(Message("lobby", "device-7", "", b"", RECEIVED)) == "device-7"


def test_the_sender_is_written_as_without_a_template() -> None:
    who = Template("{who:>16}: {text}")
    assert who.filled(SAID) == "  alice~4f9fa251: hello"
    assert who.filled(SAID._replace(name=None)) == "       ~4f9fa251: hello"
    assert who.filled(SAID._replace(name="bob~b0b00000: x")) == r'"bob\x7eb0b00000: x"~4f9fa251: hello'
    assert Template("{who}").filled(SAID._replace(name="n" * 3000)) == "n" * 39 + "…~4f9fa251"


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("[{name:>8}]", "[    日本]"),
        ("[{name:*<8}]", "[日本****]"),
        ("[{name:^8.1}]", "[   日   ]"),
        ("[{name:3}]", "[日本]"),
    ],
)
def test_wide_characters_are_aligned_by_the_columns_that_they_take(template: str, line: str) -> None:
    assert Template(template).filled(SAID._replace(name="日本")) == line


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            "{nope}",
            "there is no field 'nope'; the fields are time, received, sent, room, sender, short, who, name, text",
        ),
        ("{}", "there is no field ''"),
        ("{0}", "there is no field '0'"),
        ("{text", "the '{' at position 1 does not belong to a field"),
        ("a}", "the '}' at position 2 does not belong to a field"),
        ("{text.__class__}", "the '{' at position 1"),
        ("{text[0]}", "the '{' at position 1"),
        ("{text!r}", "the '{' at position 1"),
        ("{text:{room}}", "the '{' at position 1"),
        ("{text:x}", "'x' is neither a width"),
        ("{text:%H}", "'%H' is neither a width"),
        ("{text:99999}", "neither a width"),
        ("{qos:05}", "neither a width"),
    ],
)
def test_an_invalid_template_is_rejected_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(InvalidTemplate) as wrong:
        Template(template)
    assert reason in str(wrong.value)


def test_a_message_cannot_break_out_of_its_line() -> None:
    hostile = Message("a\nb", "x\x1b", "{room}\r\x9b2J\u202e", b"\0\n", RECEIVED, "\n", None, "\x07")
    line = Template("".join(f"{{{field}}}" for field in FIELDS)).filled(hostile)
    assert line.isprintable()
    assert "{room}" in line
