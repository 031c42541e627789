"""JavaScript: the object literals in a file such as Amplify's aws-exports.js, read without running it."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_TOKENS = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<number>-?[0-9][\w.]*)
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_BEFORE_AN_OBJECT = ("=", "default", "(")


class _Token(NamedTuple):
    kind: str
    text: str


_END = _Token("mark", "")


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """The objects that a file assigns, exports or passes to a function, in order. Expressions in them become None."""
    tokens = [
        _Token(found.lastgroup or "", found[0])
        for found in _TOKENS.finditer(text)
        if found.lastgroup != "blank"
    ]
    for position, token in enumerate(tokens):
        if token == ("mark", "{") and position and tokens[position - 1].text in _BEFORE_AN_OBJECT:
            yield _Parser(tokens, position).object()


class _Parser:
    """Reads one literal. It accepts more than JavaScript does: the file is not ours to check."""

    def __init__(self, tokens: list[_Token], position: int) -> None:
        self._tokens = tokens
        self._position = position

    def object(self) -> dict[str, Any]:
        self._position += 1
        members = {}
        while self._next().text not in ("}", ""):
            key = self._take()
            if key.kind in ("string", "name", "number") and self._next().text == ":":
                self._position += 1
                members[_unquoted(key)] = self._value()
            else:
                self._skip_expression()  # a method, a spread or a computed key
            self._take_comma()
        self._position += 1
        return members

    def _array(self) -> list[Any]:
        self._position += 1
        items = []
        while self._next().text not in ("]", ""):
            items.append(self._value())
            self._take_comma()
        self._position += 1
        return items

    def _value(self) -> Any:
        value = self._literal()
        if self._next().text not in (",", "}", "]", ""):  # an expression such as process.env.REGION
            self._skip_expression()
            return None
        return value

    def _literal(self) -> Any:
        token = self._next()
        if token == ("mark", "{"):
            return self.object()
        if token == ("mark", "["):
            return self._array()
        self._skip_one()
        if token.kind == "string":
            return _unquoted(token)
        if token.kind == "number":
            return float(token.text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", token.text) else None
        return _CONSTANTS.get(token.text)

    def _skip_expression(self) -> None:
        while self._next().text not in (",", "}", "]", ")", ""):
            self._skip_one()

    def _skip_one(self) -> None:
        """Skip a token, or all that is in brackets."""
        token = self._take()
        if token.kind == "mark" and token.text in _CLOSING:
            while self._next().text not in (_CLOSING[token.text], ""):
                self._skip_one()
            self._position += 1

    def _take_comma(self) -> None:
        if self._next().text == ",":
            self._position += 1
        elif self._next().text not in ("}", "]", ""):
            self._position += 1  # not JavaScript: go past it, so that this ends

    def _next(self) -> _Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._next()
        self._position += 1
        return token


def _unquoted(token: _Token) -> str:
    if token.kind != "string":
        return token.text
    text = re.sub(r"\\(['`$])", r"\1", token.text[1:-1])
    try:
        unquoted: str = json.loads('"' + re.sub(r'(?<!\\)"', r"\"", text) + '"', strict=False)
    except ValueError:  # an escape that JSON does not have
        return text
    return unquoted
