"""IDs: the forms of a message's ID, on screen and in the file.

A message of another program may have no ID. It gets one that is derived from its room, sender and payload, so that you
can answer it: `~` and 16 hexadecimal digits. The same message sent twice has the same derived ID, which then means the
newest one.

In the file, the types tell them apart, so an ID that somebody chose cannot pass for a derived one:

- 8 bytes are a derived ID. `message.named` is then NULL, so that there may be several; otherwise it is 0.
- 16 bytes are an ID of 32 hexadecimal digits, as this program makes them.
- Text is every other ID.
"""

import re

_DERIVED = re.compile("~[0-9a-f]{16}")
_COMMON = re.compile("[0-9a-f]{32}")

Packed = str | bytes


def derive(room: str, sender: str, payload: bytes) -> bytes:
    """The derived ID of a message that has none, as it is in the file."""
    from hashlib import blake2b  # here: it loads OpenSSL, and most messages have an ID

    origin = f"{room}\0{sender}\0".encode(errors="replace")
    return blake2b(origin + payload, digest_size=8).digest()


def pack(message_id: str) -> Packed:
    """The form in the file of a message's own ID."""
    return bytes.fromhex(message_id) if _COMMON.fullmatch(message_id) else clean(message_id)


def pack_reference(message_id: str) -> Packed:
    """The form in the file of an ID by which one message refers to another."""
    return bytes.fromhex(message_id[1:]) if _DERIVED.fullmatch(message_id) else pack(message_id)


def unpack(packed: Packed) -> str:
    """The form that people and other programs see."""
    if isinstance(packed, str):
        return packed
    return f"~{packed.hex()}" if len(packed) == 8 else packed.hex()


def ranges(beginning: str) -> list[tuple[Packed, Packed]]:
    """Where in the file the IDs are that begin so: the first, and the end that is not included."""
    found: list[tuple[Packed, Packed]] = [(clean(beginning), clean(beginning) + "\U0010ffff")]
    digits = beginning.removeprefix("~").lower()
    width = 16 if beginning.startswith("~") else 32
    if digits and len(digits) <= width and all(digit in "0123456789abcdef" for digit in digits):
        low, high = digits.ljust(width, "0"), digits.ljust(width, "f")
        found.append((bytes.fromhex(low), bytes.fromhex(high) + b"\0"))
    return found


def clean(text: str) -> str:
    """The text without half characters, which SQLite cannot hold."""
    return text if text.isascii() else text.encode(errors="replace").decode()
