"""Identities: the forms in which people write the identity IDs of Cognito, whole or short."""

import re
from dataclasses import dataclass
from typing import Self

SHORT = 8
"""Number of hexadecimal digits in the short form of an identity."""

FEWEST = 4
"""Number of hexadecimal digits that a person must type at least, where the rest can be found."""

MOST = 13
"""Number of characters, with hyphens, up to which the beginning of an identity was probably typed as one."""

_REGION = r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SHAPE = "00000000-0000-0000-0000-000000000000"

IDENTITY = f"{_REGION}:{_UUID}"
"""What a whole identity ID, or the ID of an identity pool, matches as a regular expression. It has no groups."""


def short_identity(identity: str) -> str | None:
    """The start of an identity by which people tell it from others, such as `4f9fa251`.

    None if it does not have the form of an identity.
    """
    return identity.partition(":")[2][:SHORT] if is_identity(identity) else None


def number_of(identity: str) -> int:
    """A number that is the same on every machine, by which an identity gets its color."""
    short = short_identity(identity)
    return int(short, 16) if short else sum(identity.encode(errors="replace"))


@dataclass(frozen=True, slots=True)
class IdentityPrefix:
    """The identities whose UUID begins with `start`, in a region or (None) in any."""

    region: str | None
    start: str

    @classmethod
    def parse(cls, text: str, fewest: int = FEWEST) -> Self | None:
        """Parse an identity or its beginning, with or without the region, or `name~short` as `sub` prints it.

        The name in `name~short` is ignored: its sender chose it. Digits may be in capital letters. None if `text` is
        nothing of this, or has fewer digits than `fewest`.
        """
        _, tilde, text = text.rpartition("~")
        region, colon, start = text.rpartition(":")
        start = start.lower()
        if not _begins_uuid(start) or len(start) < fewest or (tilde and colon):
            return None
        if colon and not re.fullmatch(_REGION, region):
            return None
        return cls(region or None, start)

    @property
    def lacks(self) -> int:
        """How many characters were probably lost in copying: people do not type that many, so it was meant whole."""
        return len(_SHAPE) - len(self.start) if len(self.start) > MOST else 0

    def matches(self, identity: str) -> bool:
        """Whether this is one of the identities."""
        region, _, uuid = identity.partition(":")
        return uuid.startswith(self.start) and self.region in (None, region)


def _begins_uuid(text: str) -> bool:
    return len(text) <= len(_SHAPE) and all(
        one == "-" if shape == "-" else one in "0123456789abcdef"
        for one, shape in zip(text, _SHAPE, strict=False)
    )


def contains_uuid(text: str) -> bool:
    """Whether the text contains the UUID of an identity, even in capital letters."""
    return re.search(_UUID, text.lower()) is not None


def is_identity(text: str) -> bool:
    """Whether it has the form of a whole identity ID."""
    return re.fullmatch(IDENTITY, text) is not None


def begins_with_identity(text: str) -> bool:
    """Whether it begins with a whole identity ID, as the client IDs of members do."""
    return re.match(IDENTITY, text) is not None


def identity_error(text: str, pool: str) -> str | None:
    """Why this is not an identity ID of the identity pool; None if it can be one. The pool's region begins both."""
    region = pool.partition(":")[0]
    if why := _malformed(text, region):
        return f"'{text}' is not an identity ID: {why}"
    if text.partition(":")[0] != region:
        return f"'{text}' is not an identity of this pool, which is in {region}"
    if text == pool:
        return f"'{text}' is the ID of the identity pool, not of an identity"
    return None


def _malformed(text: str, region: str) -> str | None:
    if is_identity(text):
        return None
    bare = text.strip("'\"`,;. \t")
    if bare != text and is_identity(bare):
        return f"remove the characters around it: {bare}"
    if is_identity(text.lower()):
        return f"it has no upper-case letters: {text.lower()}"
    if re.fullmatch(_UUID, text):
        return f"its region is missing: {region}:{text}"
    if begins := re.match(f"({IDENTITY})-", text):
        return f"it is a client ID; the identity is {begins[1]}"
    return f"it should look like {region}:4f9fa251-0ed5-4578-add0-985024739222"
