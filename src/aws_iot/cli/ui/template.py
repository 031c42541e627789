"""Templates for messages: `--format '{time:%H:%M} {who:>20}: {text}'`."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from aws_iot.cli.ui import formatting, output
from aws_iot.identities import short_identity
from aws_iot.messaging.message import Message, timestamp
from aws_iot.text.width import display_width


class InvalidTemplate(ValueError):
    """A template that cannot be filled in; `str()` gives the reason."""


def _local(message: Message, pattern: str) -> str:
    return message.received.astimezone().strftime(pattern or "%Y-%m-%d %H:%M:%S")


def _utc(moment: datetime | None, pattern: str) -> str:
    if moment is None:
        return ""
    return moment.astimezone(UTC).strftime(pattern) if pattern else timestamp(moment)


_TIMES: dict[str, Callable[[Message, str], str]] = {
    "time": _local,
    "received": lambda message, pattern: _utc(message.received, pattern),
    "sent": lambda message, pattern: _utc(message.sent, pattern),
}
TEXTS: dict[str, Callable[[Message], str]] = {
    "room": lambda message: message.room,
    "sender": lambda message: message.sender,
    "short": lambda message: short_identity(message.sender) or message.sender,
    "who": lambda message: formatting.sender(message),
    "name": lambda message: message.name or "",
    "text": lambda message: message.text,
    "id": lambda message: message.id or "",
    "raw": lambda message: message.payload.decode(errors="replace"),
    "qos": lambda message: str(message.qos),
    "retained": lambda message: "true" if message.retained else "false",
    "kind": lambda message: message.kind or "",
    "re": lambda message: message.re or "",
}
FIELDS = (*_TIMES, *TEXTS)

_PIECE = re.compile(
    r"(?P<plain>\{\{|\}\}|\\[nt\\]|[^{}])|\{(?P<field>\w*)(?::(?P<spec>[^{}]*))?\}", re.DOTALL
)
_PLAIN = {"{{": "{", "}}": "}", r"\n": "\n", r"\t": "\t", r"\\": "\\"}
_WIDTH = re.compile(r"(?P<align>.?[<>^])?(?P<width>[1-9]\d{0,2})?(?:\.(?P<most>\d{1,6}))?")
_SAMPLE = Message("lobby", "alice", "hello", b"", datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC))


class Template:
    """A line with fields, each as `{field}`, `{field:WIDTH}` or, for times, `{field:STRFTIME}`.

    A field cannot have attributes or indexes. Control characters in the template are printed; those in a
    message become escapes.
    """

    def __init__(self, template: str) -> None:
        """Raises `InvalidTemplate`."""
        self._pieces: list[str | Callable[[Message], str]] = []
        end = 0
        for found in _PIECE.finditer(template):
            if found.start() != end:
                break
            end = found.end()
            plain = found["plain"]
            self._pieces.append(
                _PLAIN.get(plain, plain) if plain else _field(found["field"], found["spec"] or "")
            )
        if end < len(template):
            raise InvalidTemplate(
                f"the '{template[end]}' at position {end + 1} does not belong to a field: double it to print it"
            )
        try:
            self.filled(_SAMPLE)
        except ValueError as error:  # such as a directive that the strftime of this system does not know
            raise InvalidTemplate(f"it cannot be filled in: {error}") from error

    def filled(self, message: Message) -> str:
        """The template with the fields of a message in it."""
        return "".join(piece if isinstance(piece, str) else piece(message) for piece in self._pieces)


def _written(time: Callable[[Message, str], str], message: Message, spec: str) -> str:
    try:
        return time(message, spec)
    except ValueError:  # some systems cannot format early years, which a sender can set
        return time(message, "")


def _aligned(text: str, spec: str) -> str:
    if text.isascii() or not (found := _WIDTH.fullmatch(spec)):
        return format(text, spec)
    if found["most"]:
        text = text[: int(found["most"])]
    # `format` counts characters: let it fill up what a terminal does not need for these.
    missing = max(0, int(found["width"] or 0) - display_width(text))
    return format(text, f"{found['align'] or ''}{len(text) + missing}") if missing else text


def _field(name: str, spec: str) -> Callable[[Message], str]:
    if (time := _TIMES.get(name)) and "%" in spec:
        return lambda message: output.visible(_written(time, message, spec))
    if not _WIDTH.fullmatch(spec):
        raise InvalidTemplate(f"'{spec}' is neither a width such as >12 nor a time format such as %H:%M")
    if time:
        return lambda message: format(time(message, ""), spec)
    if text := TEXTS.get(name):
        return lambda message: _aligned(output.visible(text(message)), spec)
    raise InvalidTemplate(f"there is no field '{name}'; the fields are {', '.join(FIELDS)}")
