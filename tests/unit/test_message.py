"""The wire format: the output of the npm tool's JSON.stringify, and everything that others send."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aws_iot.messaging.message import Message, decode, encode, from_wire, timestamp, to_properties

MOMENT = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC)
DEEP = 100_000

# Text, and what stands between the quotes of `{"msg":"…"}` as Node.js 20 writes it.
TEXTS = [
    pytest.param("", "", id="empty"),
    pytest.param("hello", "hello", id="plain"),
    pytest.param('say "hi"', r"say \"hi\"", id="quotes"),
    pytest.param(r"C:\temp", r"C:\\temp", id="backslash"),
    pytest.param(r"\u0041 \n", r"\\u0041 \\n", id="what looks like an escape"),
    pytest.param("a/b", "a/b", id="slash"),
    pytest.param("<b>&'", "<b>&'", id="html"),
    pytest.param("\b\t\n\f\r", r"\b\t\n\f\r", id="short escapes"),
    pytest.param("\0\x01\x0b\x1b\x1f", r"\u0000\u0001\u000b\u001b\u001f", id="control characters"),
    pytest.param("\x7f", "\x7f", id="DEL"),
    pytest.param("\x80\x9b", "\x80\x9b", id="C1"),
    pytest.param("\u2028\u2029", "\u2028\u2029", id="line separators"),
    pytest.param("\u202e\ufeff\uffff", "\u202e\ufeff\uffff", id="bidi, BOM, noncharacter"),
    pytest.param("Grüße 日本", "Grüße 日本", id="not ASCII"),
    pytest.param("😀 👩\u200d💻", "😀 👩\u200d💻", id="emoji"),
]


def received(payload: bytes = b"", *properties: tuple[str, str]) -> Message:
    return from_wire("lobby", "us-east-1:4f9fa251", payload, properties, MOMENT)


@pytest.mark.parametrize(("text", "quoted"), TEXTS)
def test_a_payload_is_the_output_of_json_stringify_in_utf8(text: str, quoted: str) -> None:
    assert encode(text) == b'{"msg":"' + quoted.encode() + b'"}'


@pytest.mark.parametrize("code", range(0x20))
def test_every_control_character_is_escaped_as_javascript_does(code: int) -> None:
    short = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r"}
    escaped = short.get(chr(code), f"\\u{code:04x}")
    assert encode(chr(code)) == f'{{"msg":"{escaped}"}}'.encode()


@pytest.mark.parametrize(("text", "quoted"), TEXTS)
def test_an_encoded_text_is_decoded_to_the_same_text(text: str, quoted: str) -> None:
    assert decode(encode(text)) == text


def test_a_payload_that_only_begins_and_ends_like_a_message_is_its_own_text() -> None:
    assert decode(b'{"msg":"}') == '{"msg":"}'


@pytest.mark.parametrize("text", ["\ud800", "\udfff first", "last \udc80", "\ud83d\ude00"])
def test_lone_surrogates_cannot_be_encoded(text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(text)


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param(b'{"msg": "hi", "more": 1}', "hi", id="spaces and other keys"),
        pytest.param(b'{"msg":"\\u0068\\u00e9"}', "hé", id="escapes of other programs"),
        pytest.param(b'{"msg":"a","msg":"b"}', "b", id="a key twice, as in JavaScript"),
        pytest.param(b"", "", id="empty"),
        pytest.param(b"hello", "hello", id="not JSON"),
        pytest.param(b'{"msg":"cut of', '{"msg":"cut of', id="cut off"),
        pytest.param(b"null", "null", id="null"),
        pytest.param(b"42", "42", id="number"),
        pytest.param(b'"hi"', '"hi"', id="string"),
        pytest.param(b'["msg"]', '["msg"]', id="list"),
        pytest.param(b"{}", "{}", id="no msg"),
        pytest.param(b'{"Msg":"hi"}', '{"Msg":"hi"}', id="another key"),
        pytest.param(b"caf\xe9", "caf\ufffd", id="not UTF-8"),
        pytest.param(b'{"msg":"\xff"}', '{"msg":"\ufffd"}', id="JSON that is not UTF-8"),
        pytest.param(b"\x00\xff\xfe\x00", "\x00\ufffd\ufffd\x00", id="binary"),
        pytest.param(b'{"msg":null}', "null", id="msg null"),
        pytest.param(b'{"msg":true}', "true", id="msg true"),
        pytest.param(b'{"msg":1.50}', "1.50", id="msg number"),
        pytest.param(b'{"msg": 12345678901234567890}', "12345678901234567890", id="msg large number"),
        pytest.param(b'{"msg": 1724442618569203714.5}', "1724442618569203714.5", id="msg many digits"),
        pytest.param(
            b'{"msg":0.1000000000000000055511151231257827}',
            "0.1000000000000000055511151231257827",
            id="msg many decimals",
        ),
        pytest.param(b'{"msg":' + b"1" * 10_000 + b"}", "1" * 10_000, id="msg a very long number"),
        pytest.param(b'{"n":' + b"1" * 10_000 + b',"msg":"hi"}', "hi", id="msg beside a very long number"),
        pytest.param(b'{"msg":1e400 }', "1e400", id="msg number beyond floats"),
        pytest.param(b'{"msg":-0.0,"msg":-0.00}', "-0.00", id="msg number twice"),
        pytest.param(
            b' {"a" : {"msg":1.0}, "b":[1,{}] ,\n"m\\u0073g" :\t2.00 , "c": "}"} ',
            "2.00",
            id="msg among others",
        ),
        pytest.param('{"msg":1.50}'.encode("utf-16"), "1.50", id="msg number in UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"msg":1.50}', "1.50", id="msg number after a BOM"),
        pytest.param('{"msg":{"a":["é", 1.0]}}'.encode(), '{"a":["é", 1.0]}', id="msg object"),
    ],
)
def test_every_payload_has_a_text(payload: bytes, text: str) -> None:
    assert decode(payload) == text


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"[" * DEEP, id="open lists"),
        pytest.param(b'{"msg":' * DEEP, id="open objects"),
        pytest.param(b'{"msg":' + b"[" * DEEP + b"]" * DEEP + b"}", id="msg nested"),
    ],
)
def test_a_payload_that_cannot_be_parsed_is_its_own_text(payload: bytes) -> None:
    assert decode(payload) == payload.decode()


def test_properties_survive_the_round_trip() -> None:
    message = received(encode("hi"), *to_properties("id-1", MOMENT, "alice"))
    assert (message.id, message.sent, message.name) == ("id-1", MOMENT, "alice")


def test_properties_are_strings_in_a_fixed_order() -> None:
    assert to_properties("id-1", MOMENT, "alice") == (
        ("id", "id-1"),
        ("sent", "2026-01-31T23:59:59.999Z"),
        ("name", "alice"),
    )


def test_a_message_has_its_room_sender_and_payload() -> None:
    message = received(b'{"msg":"hi"}')
    assert (message.room, message.sender, message.received) == ("lobby", "us-east-1:4f9fa251", MOMENT)
    assert (message.text, message.payload) == ("hi", b'{"msg":"hi"}')


def test_a_message_of_another_program_has_no_id_time_or_name() -> None:
    message = received(b'{"msg":"hi"}', ("content", "text"))
    assert (message.id, message.sent, message.name) == (None, None, None)


def test_the_first_of_two_equal_properties_counts() -> None:
    message = received(b"", ("name", "alice"), ("id", "1"), ("name", "mallory"), ("id", "2"))
    assert (message.name, message.id) == ("alice", "1")


def test_a_sender_in_the_payload_does_not_count() -> None:
    message = received(b'{"msg":"hi","sender":"x","name":"x","id":"x"}', ("sender", "x"), ("room", "x"))
    assert (message.room, message.sender, message.name, message.id) == (
        "lobby",
        "us-east-1:4f9fa251",
        None,
        None,
    )


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T23:59:59",
        "2026-02-30T00:00:00Z",
        "1769903999",
        "\ud800",
        "\0",
    ],
)
def test_a_timestamp_without_a_time_or_a_zone_is_ignored(sent: str) -> None:
    assert received(b"", ("sent", sent)).sent is None


def test_a_timestamp_of_another_zone_is_the_same_moment() -> None:
    assert received(b"", ("sent", "2026-02-01T01:59:59.999+02:00")).sent == MOMENT


@pytest.mark.parametrize("sent", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_timestamp_that_is_out_of_range_in_utc_is_ignored(sent: str) -> None:
    parsed = received(b"", ("sent", sent)).sent
    assert parsed is None or timestamp(parsed)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2026-01-31T23:59:59.999Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 1999, tzinfo=UTC), "2026-01-01T00:00:00.001Z"),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text


def test_a_message_may_refer_to_another() -> None:
    properties = to_properties("id-2", MOMENT, "alice", "react", "id-1")
    assert properties == (*to_properties("id-2", MOMENT, "alice"), ("kind", "react"), ("re", "id-1"))
    message = received(encode("👍"), *properties)
    assert (message.id, message.kind, message.re) == ("id-2", "react", "id-1")
    reply = received(encode("yes"), *to_properties("id-3", MOMENT, "alice", re="id-1"))
    assert (reply.kind, reply.re) == (None, "id-1")
    assert received(encode("hi"))[-2:] == (None, None)
