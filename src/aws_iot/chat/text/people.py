"""Who has written, and the links in what they wrote."""

import re
from urllib.parse import urlsplit

from aws_iot.chat.text.steady import cut, steady
from aws_iot.identities import short_identity
from aws_iot.text.labels import label
from aws_iot.text.visible import kept_in_place

_LINK = re.compile(r"https?://[^\s<>\\\"`{}|^]+", re.IGNORECASE)
"""Without backslashes, of which browsers and Python make different hosts."""

_HOST = re.compile(r"https?://[!-~]+?(?=[/?#]|$)", re.IGNORECASE)
"""Only visible ASCII: other characters could look like what they are not."""


def who(identity: str, name: str | None, columns: int) -> str:
    """The sender: the claimed name, `~`, and the start of the identity, in so many columns if possible."""
    short = short_identity(identity) or cut(label(identity), 16)
    shown = label(name, max(4, columns - len(short) - 1)) if name else ""
    return f"{kept_in_place(steady(shown))}~{short}"


def links(text: str) -> list[str]:
    """The web addresses in a text, in order. The part after the host may have any letters."""
    found = map(_without_end, _LINK.findall(text))
    return [link for link in found if _HOST.match(link) and link.isprintable() and host_of(link)]


def _without_end(link: str) -> str:
    """A link without what ends a sentence. A closing parenthesis stays if the link has an opening one for it."""
    while (shorter := link.rstrip(".,;:!?]}'\"*_…»”’")) != link or (
        link.endswith(")") and link.count(")") > link.count("(")
    ):
        link = shorter if shorter != link else link[:-1]
    return link


def claimed_host(link: str) -> str:
    """The user name in a link, which looks like the host to which it leads; empty if it has none."""
    try:
        return urlsplit(link).netloc.rpartition("@")[0]
    except ValueError:
        return ""


def host_of(link: str) -> str:
    """The host to which a link leads; empty if it leads to none."""
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""
