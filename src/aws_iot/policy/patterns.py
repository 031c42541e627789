"""Patterns in policies: the wildcards `*` and `?`, and variables such as `${iot:ClientId}`."""

import re
from functools import lru_cache

from aws_iot.policy.context import Request
from aws_iot.policy.logic import Truth, Unknown

_ESCAPES = ("*", "?", "$")  # `${*}` is the plain character

# `${name}`, or `${name, 'a default if it has no value'}`
_VARIABLE = re.compile(r"\$\{\s*([^},\s]+)\s*(?:,\s*'([^']*)'\s*)?\}")
_TOKEN = re.compile(rf"{_VARIABLE.pattern}|[*?]|\$|[^*?$]+")
_TOKEN_WITHOUT_VARIABLES = re.compile(r"()()(?:[*?]|[^*?]+)")
_PLAIN_START = re.compile(r"[^*?$]*")


def matches(
    pattern: str,
    text: str,
    request: Request,
    *,
    has_variables: bool,
    wildcards: bool = True,
    ignore_case: bool = False,
) -> Truth:
    """Whether a pattern matches a text, with the request's values for its variables.

    `*` matches any characters, including `/` and `:`, and `?` matches one. MQTT's `+` and `#` are plain characters:
    docs.aws.amazon.com/iot/latest/developerguide/pub-sub-policy.html. A pattern with a variable that has no value
    matches nothing: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
    """
    if ignore_case:
        pattern, text = pattern.lower(), text.lower()
    if not text.startswith(_PLAIN_START.match(pattern)[0]):  # type: ignore[index]  # it matches the empty text
        return False
    runs: Runs = [[""]]
    unknown: set[str] = set()
    for piece, name, default in _tokens(pattern, has_variables):
        if name in _ESCAPES:
            runs[-1][-1] += name
        elif name:
            values, complete = request.lookup(name)
            if not complete:
                unknown.add(name)
                runs.append([""])
            elif len(values) == 1 or (not values and default is not None):
                value = (values[0] if values else default) or ""
                runs[-1][-1] += value.lower() if ignore_case else value
            else:
                return False
        elif wildcards and piece == "*":
            runs.append([""])
        elif wildcards and piece == "?":
            runs[-1].append("")
        else:
            runs[-1][-1] += piece
    return _contains(runs, text) and (Unknown(frozenset(unknown)) or True)


def required_variables(pattern: str) -> list[str]:
    """The variables in a pattern that have no default."""
    return [
        name
        for _, name, default in _tokens(pattern, True)
        if name and default is None and name not in _ESCAPES
    ]


def full_arn(pattern: str) -> str:
    """An ARN that ends early continues with wildcards: reference_policies_elements_resource.html of IAM's guide."""
    return pattern + ":*" * (5 - pattern.count(":")) if pattern.startswith("arn:") else pattern


@lru_cache(maxsize=2048)  # a broker evaluates the same policies again and again
def _tokens(text: str, has_variables: bool) -> tuple[tuple[str, str | None, str | None], ...]:
    """The parts of a pattern: each one's text, and a variable's name and default."""
    pattern = _TOKEN if has_variables else _TOKEN_WITHOUT_VARIABLES
    return tuple((found[0], found[1] or None, found[2]) for found in pattern.finditer(text))


Runs = list[list[str]]
"""A pattern, cut at each `*` into runs, and each run cut at each `?` into plain texts."""


def _contains(runs: Runs, text: str) -> bool:
    """Whether a text is these runs in their order, with anything between them.

    Each run takes the first place that fits it: trying all places would take years for some patterns.
    """
    first, *others = runs
    at = _end_of(first, text, 0)
    if not others:
        return at == len(text)
    *middle, last = others
    for run in middle:
        if at is not None:
            ends = (_end_of(run, text, start) for start in range(at, len(text) + 1))
            at = next((end for end in ends if end is not None), None)
    start = len(text) - sum(map(len, last)) - len(last) + 1
    return at is not None and at <= start and _end_of(last, text, start) is not None


def _end_of(run: list[str], text: str, at: int) -> int | None:
    """Where a run ends that starts at this index; None if it does not fit there."""
    for piece in run:
        if not text.startswith(piece, at):
            return None
        at += len(piece) + 1  # one more character for a `?`
    return at - 1
