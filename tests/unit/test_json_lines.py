"""Messages as lines of JSON, which can be sent again byte for byte."""

import json
from datetime import UTC, datetime

import pytest

from aws_iot.errors import InvalidMessage
from aws_iot.messaging.json_lines import ParsedLine, from_line, to_line, to_message
from aws_iot.messaging.message import from_wire

MOMENT = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC)


def line(payload: bytes) -> str:
    return to_line(from_wire("lobby", "us-east-1:4f9fa251", payload, (), MOMENT))


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        (b'{"msg":"hi"}', {}),
        (b'{"msg": "hi"}', {"payload": '{"msg": "hi"}'}),
        (b'{"msg":"hi","more":1}', {"payload": '{"msg":"hi","more":1}'}),
        (b'{"msg":"\\u0068i"}', {"payload": '{"msg":"\\u0068i"}'}),
        (b'{"msg":"\\ud800"}', {"payload_base64": "eyJtc2ciOiJcdWQ4MDAifQ=="}),
        (b'{"msg":"\xed\xa0\x80"}', {"payload_base64": "eyJtc2ciOiLtoIAifQ=="}),
        (b"hello", {"payload": "hello"}),
        (b"", {"payload": ""}),
        (b"null", {"payload": "null"}),
        (b"\xff\x00", {"payload_base64": "/wA="}),
    ],
)
def test_a_line_has_the_exact_payload_if_the_text_does_not_determine_it(
    payload: bytes, more: dict[str, str]
) -> None:
    read = json.loads(line(payload))
    assert dict(list(read.items())[9:]) == more
    assert from_line(line(payload)) == ParsedLine("lobby", payload)


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ('{"text": "hi"}', ParsedLine(None, b'{"msg":"hi"}')),
        ('{"room": "a/b", "text": "hi", "name": 1}', ParsedLine("a/b", b'{"msg":"hi"}')),
        ('{"room": null, "text": "hi", "payload": null}', ParsedLine(None, b'{"msg":"hi"}')),
        ('{"text": "hi", "payload": "x"}', ParsedLine(None, b"x")),
        (b'{"payload_base64": "/w=="}\n', ParsedLine(None, b"\xff")),
        ('{"payload": ""}', ParsedLine(None, b"")),
    ],
)
def test_a_line_needs_only_a_text(written: str | bytes, parsed: ParsedLine) -> None:
    assert from_line(written) == parsed


def test_a_very_long_number_beside_the_text_is_ignored() -> None:
    assert from_line('{"text": "hi", "n": ' + "1" * 10_000 + "}").text == "hi"


def test_a_parsed_line_has_a_text() -> None:
    assert (from_line('{"text": "hi"}').text, from_line('{"payload": "ho"}').text) == ("hi", "ho")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "not JSON"),
        ("hello", r"not JSON: Expecting value \(column 1\)$"),
        (b"\xff", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('["text"]', "not an object"),
        ("null", "not an object"),
        ("{}", "neither 'text' nor 'payload'"),
        ('{"text": 1}', "'text' is not a string"),
        ('{"text": "hi", "room": []}', "'room' is not a string"),
        ('{"text": "\\ud800"}', "not valid UTF-8"),
        ('{"payload": "\\ud800"}', "not valid UTF-8"),
        ('{"payload_base64": "%"}', "not base64"),
        ('{"payload_base64": "é"}', "not base64"),
    ],
)
def test_an_invalid_line_is_rejected_with_the_reason(written: str | bytes, reason: str) -> None:
    with pytest.raises(InvalidMessage, match=reason) as wrong:
        from_line(written)
    assert "\n" not in str(wrong.value)


def test_a_reference_is_at_the_end_of_a_line_that_has_one() -> None:
    plain = from_wire("lobby", "us-east-1:4f9fa251", b"\xff", [("id", "2")], MOMENT)
    assert "kind" not in to_line(plain)
    reply, reaction = plain._replace(re="1"), plain._replace(kind="react", re="1")
    assert to_line(reply).endswith(', "payload_base64": "/w==", "re": "1"}')
    assert to_line(reaction).endswith(', "payload_base64": "/w==", "kind": "react", "re": "1"}')


@pytest.mark.parametrize("payload", [b'{"msg":"hi"}', b"\xff\0", b'{"msg":"\\ud800"}', b"{}", b""])
def test_a_line_can_be_read_as_the_message_that_it_shows(payload: bytes) -> None:
    known = [("id", "2"), ("sent", MOMENT.isoformat()), ("name", "bob"), ("kind", "edit"), ("re", "1")]
    for properties in (known, []):
        message = from_wire("lobby", "us-east-1:4f9fa251", payload, properties, MOMENT, 0, True)
        assert to_message(to_line(message)) == message


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"room": "a", "sender": "b", "text": "c"}', "it has no 'received'"),
        ('{"room": "a", "received": "2026-01-31T12:00:00Z", "text": "c"}', "it has no 'sender'"),
        ('{"sender": "b", "received": "2026-01-31T12:00:00Z", "text": "c"}', "it has no 'room'"),
        ('{"room": "a", "sender": "b", "received": "noon", "text": "c"}', "its 'received' is not a time"),
        ('{"room": "a", "sender": "b", "received": "2026-01-31T12:00:00Z"}', "neither 'text' nor 'payload'"),
        ('{"room": "a", "sender": "b", "received": 5, "text": "c"}', "'received' is not a string"),
        ("{", "not JSON"),
    ],
)
def test_an_error_says_why_a_line_is_no_message(line: str, why: str) -> None:
    with pytest.raises(InvalidMessage, match=why):
        to_message(line)
