"""Output: one line per message, nothing that controls a terminal, and nothing that can be forged."""

import ast
import json
import re
import unicodedata
from datetime import UTC, datetime

import pytest

from aws_iot.cli.ui.formatting import connection_line, message_line, notice
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.json_lines import to_line
from aws_iot.messaging.message import Message, encode
from aws_iot.text.visible import visible
from aws_iot.text.width import display_width

IDENTITY = "us-east-1:4f9fa251-0000-0000-0000-000000000001"
POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
RECEIVED = datetime(2026, 1, 31, 23, 59, 59, 999000, tzinfo=UTC)
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

PLAIN = r'[^\s\[\]~:"\\]*(?:\\[xu][0-9a-f]+[^\s\[\]~:"\\]*)*'
QUOTED = r'"(?:[^"\\]|\\.)*"'
LINE = re.compile(
    rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d \[({PLAIN}|{QUOTED})\] ({PLAIN}|{QUOTED})~({PLAIN}|{QUOTED}): (.*)"
)

HOSTILE = [
    "lobby",
    "日本",
    "",
    " ",
    "two words",
    "~",
    ":",
    "[",
    "]",
    '"',
    "\\",
    '\\"',
    '"] x~00000000: hi',
    "lobby] mallory~00000000: hi",
    "mallory~00000000",
    "mallory~00000000: hi",
    'mallory"~00000000: "hi',
    "~00000000: hi",
    "hi\n2026-01-31 23:59:59 [lobby] mallory~00000000: hi",
    "hi\r2026-01-31 23:59:59 [lobby] mallory~00000000: hi",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x85\x0b\x0c\x1c",
    "\u2028\u2029\u00a0\u3000",
    "abc\u202edef",
    "\u2066abc\u2069",
    "\udfff\ud800",
    "\\x1b[2J",
    "\x7f\b\b\b",
    "\0",
    "👩\u200d💻",
]


def message(
    *, room: str = "lobby", sender: str = IDENTITY, text: str = "hello", name: str | None = "alice"
) -> Message:
    return Message(room, sender, text, b"", RECEIVED, name=name)


def meant(label: str) -> str:
    """What a label stands for, once its quotes and escapes are undone."""
    read = ast.literal_eval(label if label.startswith('"') else f'"{label}"')
    assert isinstance(read, str)
    return read


def means(label: str, text: str) -> bool:
    """Whether a label stands for the text, which it may have shortened."""
    return text.startswith(meant(label)[:-1]) if "…" in label else meant(label) == text


def is_harmless(line: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in BIDI for c in line)


def local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    "code",
    [
        *range(0x20),
        *range(0x7F, 0xA0),
        0x2028,
        0x2029,
        *map(ord, BIDI),
        0xD800,
        0xDBFF,
        0xDC80,
        0xDFFF,
    ],
    ids=hex,
)
def test_a_control_character_is_shown_as_its_escape(code: int) -> None:
    shown = visible(f"a{chr(code)}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert ast.literal_eval(f'"{shown}"') == f"a{chr(code)}b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("one\ntwo\r\n\tthree", r"one\ntwo\r\n\tthree"),
        ("\x9b2J\x7f\0", r"\x9b2J\x7f\x00"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("\ud800", r"\ud800"),
        ("é\x1bé", r"é\x1bé"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + r"\u0301\u0301"),
    ],
)
def test_an_escape_names_its_control_character(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain text, with \\ and 'quotes'",
        "Grüße",
        "日本語",
        "👩\u200d💻 👨\u200d👩\u200d👧\u200d👦",
        "❤\ufe0f 🏳\ufe0f\u200d🌈 👍🏽",
        "שלום عربي",
        "می\u200cخواهم",
        "e\u0301",
        "\u0f40\u0f90\u0f90\u0f90\u0f90\u0f90\u0f71",  # letters of Tibetan stand below one another
    ],
)
def test_ordinary_text_is_printed_unchanged(text: str) -> None:
    assert visible(text) == text


def test_a_message_is_one_line_with_local_time_room_name_and_identity() -> None:
    assert message_line(message()) == f"{local(RECEIVED)} [lobby] alice~4f9fa251: hello"


@pytest.mark.parametrize("name", [None, ""])
def test_a_message_without_a_name_still_shows_its_sender(name: str | None) -> None:
    assert message_line(message(name=name)) == f"{local(RECEIVED)} [lobby] ~4f9fa251: hello"


@pytest.mark.parametrize(
    "sender", ["sensor-7", "US-EAST-1:4F9FA251-0000", "us-east-1:4f9fa251", f"x {IDENTITY}"]
)
def test_a_sender_that_is_not_an_identity_is_shown_in_full(sender: str) -> None:
    found = LINE.fullmatch(message_line(message(sender=sender)))
    assert found
    assert meant(found.group(3)) == sender


def test_an_ambiguous_label_is_quoted() -> None:
    line = message_line(message(room="a] b", name='x"~00000000: y'))
    assert line == f'{local(RECEIVED)} ["a] b"] "x\\"\\x7e00000000: y"~4f9fa251: hello'


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
@pytest.mark.parametrize("place", ["room", "name", "text", "sender"])
def test_no_message_can_imitate_the_rest_of_its_line(place: str, hostile: str) -> None:
    said = {"room": "lobby", "name": "alice", "text": "hello", "sender": "device", place: hostile}
    line = message_line(message(**said))
    found = LINE.fullmatch(line)
    assert found, line
    room, name, sender, text = found.groups()
    assert means(room, said["room"])
    assert means(name, said["name"])
    assert meant(sender) == said["sender"]
    assert line.index("~") == found.start(3) - 1
    assert text == visible(said["text"])
    assert is_harmless(line)


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_name_changes_the_identity_that_is_shown(hostile: str) -> None:
    line = message_line(message(room=hostile, name=hostile, text=hostile))
    found = LINE.fullmatch(line)
    assert found, line
    assert found.group(3) == "4f9fa251"


@pytest.mark.parametrize("columns", [50, 60, 80, 200])
@pytest.mark.parametrize("room", ["lobby", "r" * 200, "日" * 90, "[] " * 50])
@pytest.mark.parametrize("name", [None, "alice", "n" * 3000, "日" * 3000, "~" * 3000, "e\u0301" * 3000])
def test_the_identity_has_its_place_on_the_screen(name: str | None, room: str, columns: int) -> None:
    line = message_line(message(room=room, name=name), columns)
    assert display_width(line[: line.index("4f9fa251: ")] + "4f9fa251: ") <= columns
    if columns == 200:
        assert message_line(message(room=room, name=name)) == line  # as in a pipe


def test_only_what_is_too_long_is_shortened() -> None:
    room = "ops/berlin/building-7/alarms"
    assert f"[{room}] bob~4f9fa251" in message_line(message(room=room, name="bob"), 80)
    assert "[lobby] alice.of.the.long.name@example.com~" in message_line(
        message(name="alice.of.the.long.name@example.com"), 80
    )
    assert "[ops/berlin/buildin…] alice.of.the.long.…~" in message_line(
        message(room=room, name="alice.of.the.long.name@example.com"), 72
    )


def test_a_name_from_right_to_left_does_not_move_the_identity_on_a_terminal() -> None:
    assert "שלום\u200e~4f9fa251:" in message_line(message(name="שלום"), 80)
    assert "[שלום\u200e] " in message_line(message(room="שלום"), 80)
    assert "שלום~4f9fa251:" in message_line(message(name="שלום"))


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_json_is_one_line_of_printable_ascii_without_loss(hostile: str) -> None:
    line = to_line(message(room=hostile, sender=hostile, name=hostile, text=hostile))
    assert line.isascii()
    assert line.isprintable()
    read = json.loads(line)
    assert [read[key] for key in ("room", "sender", "name", "text")] == [hostile] * 4


def test_json_has_these_keys_in_this_order() -> None:
    said = Message("lobby", IDENTITY, "hello", encode("hello"), RECEIVED, "id-1", RECEIVED, "alice")
    assert list(json.loads(to_line(said)).items()) == [
        ("received", "2026-01-31T23:59:59.999Z"),
        ("room", "lobby"),
        ("sender", IDENTITY),
        ("name", "alice"),
        ("text", "hello"),
        ("id", "id-1"),
        ("sent", "2026-01-31T23:59:59.999Z"),
        ("qos", 1),
        ("retained", False),
    ]


def test_json_has_null_for_properties_that_another_program_did_not_send() -> None:
    read = json.loads(to_line(Message("lobby", IDENTITY, "hello", encode("hello"), RECEIVED)))
    assert (read["name"], read["id"], read["sent"]) == (None, None, None)
    assert len(read) == 9


# User names, and what Node.js 20 prints of them.
@pytest.mark.parametrize(
    ("username", "quoted"),
    [
        ("alice", "'alice'"),
        ("o'brien", '"o\'brien"'),
        ('the "boss"', "'the \"boss\"'"),
        ('o\'brien "the boss"', '`o\'brien "the boss"`'),
        ("back`tick", "'back`tick'"),
        ("a\nb", r"'a\nb'"),
        ("Grüße 👩\u200d💻", "'Grüße 👩\u200d💻'"),
        ("a'b\"c`d", "'a\\'b\"c`d'"),
        ("a\\b", r"'a\\b'"),
        ("a\\'b\"c`d", "'a\\\\\\'b\"c`d'"),
    ],
)
def test_the_notice_is_what_node_prints_for_the_same_object(username: str, quoted: str) -> None:
    assert notice(username, IDENTITY, POOL) == (
        "authResult - group admins need to accept users with this info {\n"
        f"  username: {quoted},\n"
        f"  identityId: '{IDENTITY}',\n"
        f"  identityPoolId: '{POOL}'\n"
        "}"
    )


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_user_name_adds_a_line_to_the_notice_or_controls_the_terminal(hostile: str) -> None:
    lines = notice(hostile, IDENTITY, POOL).splitlines()
    assert len(lines) == 5
    assert all(is_harmless(line) for line in lines)


def test_a_connection_event_is_shown_with_its_cause() -> None:
    assert (
        connection_line(Lost("the network is gone")) == "connection lost: the network is gone; reconnecting"
    )
    closer = connection_line(Lost("the network is gone", "SOME_ERROR, 7 s after it began"), verbose=True)
    assert closer.endswith("; reconnecting (SOME_ERROR, 7 s after it began)")
    assert connection_line(Restored()) == "connection restored"
    assert connection_line(Restored(3.2, may_miss=True)) == (
        "connection restored after 3.2 s: messages may be missing"
    )
    assert connection_line(Restored(3.2, forgotten=True)) == (
        "connection restored after 3.2 s; the broker has discarded the session: messages may be missing"
    )


def test_a_connection_that_died_without_a_sign_is_shown_with_the_time_of_the_last_packet() -> None:
    now = datetime(2026, 1, 31, 23, 0, 30).astimezone()
    line = connection_line(Lost("the broker no longer answers", silent=45.0), now=now)
    assert line == (
        "connection lost: the broker no longer answers, nothing received since 22:59:45; reconnecting"
    )


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [(3.24, "3.2 s"), (59.9, "59.9 s"), (245.2, "4 min 5 s"), (12_340.0, "3 h 25 min")],
)
def test_the_duration_of_an_outage_is_shown(seconds: float, duration: str) -> None:
    assert connection_line(Restored(seconds)) == f"connection restored after {duration}"
