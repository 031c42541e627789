"""Properties of every input, checked with generated examples."""

import json
import os
import unicodedata
from base64 import b64encode
from contextlib import nullcontext, suppress
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aws_iot.cli.commands.sub.handler import variables
from aws_iot.cli.ui.formatting import message_line, raw_line
from aws_iot.cli.ui.template import FIELDS, InvalidTemplate, Template
from aws_iot.errors import InvalidMessage, InvalidRoom
from aws_iot.history.file.record import from_entry, to_entry, to_record
from aws_iot.messaging.json_lines import ParsedLine, from_line, to_line, to_message
from aws_iot.messaging.message import Message, decode, encode, from_wire
from aws_iot.messaging.topics import matches, room_and_sender, topic, topic_filter
from tests.unit.test_output import is_harmless

POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"

few = settings(max_examples=60, deadline=None, derandomize=True)

anything = st.text(st.characters())  # half characters too
texts = st.text(st.characters(codec="utf-8"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
payloads = st.one_of(
    st.binary(),
    texts.map(str.encode),
    texts.map(encode),
    json_values.map(lambda value: json.dumps(value).encode()),
    json_values.map(lambda value: json.dumps({"msg": value}).encode()),
    st.builds(lambda inside: b'{"msg":"' + inside + b'"}', st.binary()),
)
messages = st.builds(
    from_wire,
    anything,
    anything | st.just(IDENTITY),
    payloads,
    st.lists(st.tuples(st.sampled_from(["id", "sent", "name", "kind", "re", "x"]), anything), max_size=5),
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([0, 1]),
    st.booleans(),
)
names = st.text("abé☂ .$", min_size=1, max_size=5)  # six of them fit into a topic
levels = st.lists(names | st.just("+"), min_size=1, max_size=6)


@few
@given(st.binary() | payloads)
def test_every_payload_has_a_text(payload: bytes) -> None:
    assert isinstance(decode(payload), str)


@few
@given(texts)
def test_every_text_survives_encoding(text: str) -> None:
    assert decode(encode(text)) == text
    assert json.loads(encode(text)) == {"msg": text}


@few
@given(st.binary() | texts.map(str.encode) | anything.map(lambda text: json.dumps(text)[1:-1].encode()))
def test_the_fast_decoder_gives_the_result_of_the_slow_one(inside: bytes) -> None:
    quick, slow = (decode(b'{"msg":"' + inside + end) for end in (b'"}', b'"} '))
    assert slow in (quick, quick + " ")


@few
@given(messages)
def test_no_message_breaks_out_of_its_line(message: Message) -> None:
    assert is_harmless(message_line(message))
    assert is_harmless(raw_line(message))
    assert is_harmless(to_line(message))
    assert to_line(message).isascii()


@few
@given(messages)
def test_a_line_of_json_contains_the_whole_message(message: Message) -> None:
    read = json.loads(to_line(message))
    assert [read[key] for key in ("room", "sender", "name", "text", "id")] == [
        message.room,
        message.sender,
        message.name,
        message.text,
        message.id,
    ]
    assert from_line(to_line(message)) == ParsedLine(message.room, message.payload)


@few
@given(
    st.none() | texts,
    st.dictionaries(st.sampled_from(["text", "payload"]), texts, min_size=1),
    st.none() | st.binary(),
    st.dictionaries(st.sampled_from(["sender", "received", "qos", "x"]), json_values),
)
def test_every_line_that_holds_a_message_is_understood(
    room: str | None, texts: dict[str, str], exact: bytes | None, more: dict[str, object]
) -> None:
    line: dict[str, object] = more | texts | {"room": room}
    payload = texts["payload"].encode() if "payload" in texts else encode(texts["text"])
    if exact is not None:
        line["payload_base64"], payload = b64encode(exact).decode(), exact
    assert from_line(json.dumps(line)) == ParsedLine(room, payload)


@few
@given(st.binary() | texts | json_values.map(json.dumps))
def test_every_line_that_holds_no_message_is_rejected(line: bytes | str) -> None:
    with suppress(ValueError):
        read = json.loads(line)
        assume(not isinstance(read, dict) or not read.keys() & {"text", "payload", "payload_base64"})
    with pytest.raises(InvalidMessage):
        from_line(line)


@few
@given(
    st.lists(
        st.sampled_from([f"{{{f}}}" for f in FIELDS]) | st.sampled_from(["{text:>9.4}", "x", "{{", "}}", " "])
    ),
    messages,
)
def test_a_template_gives_one_harmless_line_for_every_message(pieces: list[str], message: Message) -> None:
    assert is_harmless(Template("".join(pieces)).filled(message))


@few
@given(st.text(st.sampled_from("{}:%.<>^ab\\ntime!9é")) | anything, messages)
def test_a_template_is_rejected_only_for_its_fields(template: str, message: Message) -> None:
    try:
        filled = Template(template).filled(message)
    except InvalidTemplate:
        assert set(template) & set("{}")
    else:
        assert filled == template or set(template) & set("{}\\")


@few
@given(anything.filter(lambda text: not set(text) & set("{}")), st.sampled_from("{}"), st.text("{}"))
def test_a_template_with_a_brace_too_many_is_rejected(plain: str, brace: str, pairs: str) -> None:
    doubled = pairs.replace("{", "{{").replace("}", "}}")
    for template in (f"{doubled}{plain}{brace}", f"{brace}x{plain[:1]}{'{' if brace == '{' else ''}"):
        with pytest.raises(InvalidTemplate):
            Template(template)


@few
@given(messages)
def test_every_message_fits_an_environment(message: Message) -> None:
    for value in variables(message).values():
        assert "\0" not in value
        assert os.fsencode(value) is not None


def can_be_a_room(text: str) -> bool:
    """What MQTT 5 (section 1.5.4) and the limits of AWS IoT Core leave: 256 bytes and 7 slashes for a topic."""
    try:
        size = len(f"{POOL}/{text}/{IDENTITY}".encode())
    except UnicodeEncodeError:
        return False
    points = [ord(character) for character in text]
    is_text = not any(p % 0x10000 in (0xFFFE, 0xFFFF) or p in range(0xFDD0, 0xFDF0) for p in points)
    is_printable = not any(unicodedata.category(character) == "Cc" for character in text)
    fits = size <= 256 and text.count("/") <= 5
    return bool(text) and not set(text) & set("+#") and is_text and is_printable and fits


@few
@given(
    anything
    | st.text("ab/☂+#\n", min_size=1, max_size=9)
    | st.integers(160, 168).map(lambda size: size // 2 * "é" + size % 2 * "a")
    | st.integers(4, 7).map(lambda slashes: "/".join("a" * (slashes + 1)))
)
def test_exactly_what_can_be_a_room_has_a_topic_that_names_it(room: str) -> None:
    if not can_be_a_room(room):
        with pytest.raises(InvalidRoom):
            topic(POOL, room, IDENTITY)
        return
    where = topic(POOL, room, IDENTITY)
    assert room_and_sender(POOL, where) == (room, IDENTITY)
    assert matches(where, topic_filter(POOL, room, IDENTITY))
    assert matches(where, topic_filter(POOL, "#", IDENTITY))


@pytest.mark.parametrize("points", [range(0x200), range(0xD7F0, 0xE010), range(0xFDC0, 0x10010)], ids=str)
def test_exactly_the_characters_of_mqtt_can_be_in_a_room(points: range) -> None:
    for character in map(chr, points):
        with nullcontext() if can_be_a_room(character) else pytest.raises(InvalidRoom):
            topic(POOL, character, IDENTITY)


@few
@given(levels, st.booleans(), st.lists(names, min_size=1, max_size=6))
def test_a_pattern_matches_the_rooms_that_its_levels_match(
    pattern: list[str], deeper: bool, room: list[str]
) -> None:
    where = topic(POOL, "/".join(room), IDENTITY)
    wanted = topic_filter(POOL, "/".join([*pattern, *["#"] * deeper]), IDENTITY)
    fits = all(p in ("+", r) for p, r in zip(pattern, room, strict=False))
    long_enough = len(room) >= len(pattern) if deeper else len(room) == len(pattern)
    assert matches(where, wanted) == (fits and long_enough)


@given(st.lists(messages, min_size=1, max_size=3))
@few
def test_the_queue_of_a_history_keeps_every_message(several: list[Message]) -> None:
    line = to_entry(several, 7)
    assert b"\n" not in line
    records = [to_record(one)._replace(text=None) for one in several]
    assert from_entry(line) == from_entry(line + b"\n") == (7, records)
    assert not any(map(from_entry, (line[:end] for end in range(len(line)))))


@given(messages)
@few
def test_a_json_line_can_be_read_as_its_message(message: Message) -> None:
    read = to_message(to_line(message))
    assert to_line(read) == to_line(message)
    assert read.payload == message.payload
