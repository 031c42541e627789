"""Who has written, and the links in what they wrote."""

import re

from aws_iot.chat.text.steady import cut, kept_in_place, steady
from aws_iot.identities import short_identity
from aws_iot.text.labels import label

_LINK = re.compile(r"https?://[!-~]+")


def who(identity: str, name: str | None, columns: int) -> str:
    """The sender: the claimed name, `~`, and the start of the identity, in so many columns if possible."""
    short = short_identity(identity) or cut(label(identity), 16)
    shown = label(name, max(4, columns - len(short) - 1)) if name else ""
    return f"{kept_in_place(steady(shown))}~{short}"


def links(text: str) -> list[str]:
    """The web addresses in a text. Only visible ASCII: others could look like what they are not."""
    return [found.rstrip(".,;:!?)]}'\"*_") for found in _LINK.findall(text)]
