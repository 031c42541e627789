"""The shape of a Cognito identity ID, and what is wrong with one that was copied badly."""

import re

_REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IDENTITY = re.compile(f"{_REGION}:{_UUID}", re.ASCII)


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
    if _IDENTITY.fullmatch(text):
        return None
    bare = text.strip("'\"`,;. \t")
    if bare != text and _IDENTITY.fullmatch(bare):
        return f"remove the characters around it: {bare}"
    if _IDENTITY.fullmatch(text.lower()):
        return f"it has no upper-case letters: {text.lower()}"
    if re.fullmatch(_UUID, text, re.ASCII):
        return f"its region is missing: {region}:{text}"
    if begins := re.match(f"({_IDENTITY.pattern})-", text, re.ASCII):
        return f"it is a client ID; the identity is {begins[1]}"
    return f"it should look like {region}:4f9fa251-0ed5-4578-add0-985024739222"
