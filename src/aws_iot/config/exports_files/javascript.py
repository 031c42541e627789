"""JavaScript: the object literals in a file such as Amplify's aws-exports.js, read without running it.

tree-sitter reads the syntax: JSON, JavaScript, TypeScript, and Dart as far as it looks the same. This module turns
what it finds into values.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any, NamedTuple, Self

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

from aws_iot.config.exports import Expression

LARGEST_DEPTH = 40
"""How deep values may be nested. What is deeper counts as unknown."""

LARGEST_TEXT = 10_000
"""How many characters a text may have that is put together from parts."""

LARGEST_NESTING = 100
"""How many texts are read that are an object in JSON. A file with more is another file, named by mistake."""

# Possessive: a line of slashes could be split into comments in countless ways.
_JSON_FIRST = re.compile(r"(?:\s|//[^\n]*+|(?>/\*.*?\*/))*+\{", re.DOTALL)
_DART_TEXT = re.compile(r"r?(?P<quotes>'''|\"\"\")(?P<text>\s*\{.*?)(?P=quotes)", re.DOTALL)
_TRANSPARENT = {
    "parenthesized_expression": 0,
    "as_expression": 0,
    "satisfies_expression": 0,
    "non_null_expression": 0,
    "type_assertion": -1,
}
"""Expressions that have the value of one operand, and which of their children that is."""

_CONSTANTS = {"true": True, "false": False, "null": None, "undefined": None}
_READERS = ("Object.freeze", "JSON.parse", "Object")
"""Functions whose result has the same content as their argument."""

_EXPORTED = ("module.exports", "exports.default", "exports")
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


class Object(dict[str, Any]):
    """The content of one object literal. Its `line` counts from 1; `lines` has that of each key.

    `fault_line` is the line of the first mistake in its syntax, if it has one. `is_exported` marks the one that a file
    exports by default, or passes to `Amplify.configure`. Values that only running the code would tell are an
    `Expression`.
    """

    def __init__(self, line: int, fault_line: int | None = None) -> None:
        super().__init__()
        self.line = line
        self.fault_line = fault_line
        self.lines: dict[str, int] = {}
        self.is_exported = False


class Script(NamedTuple):
    """What a file holds: the outermost objects, in order, and as one more, the variables that are a text.

    `fault_line` is the line of its first mistake in syntax, if it has one.
    """

    objects: list[Object]
    constants: Object
    fault_line: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a file. Whatever it holds is data: nothing is run."""
        reader = _Reader(text)
        return cls(reader.objects(), reader.constants(), reader.fault_line)


class _Reader:
    def __init__(self, text: str, line: int = 1, *, is_nested: bool = False) -> None:
        self._text = text
        self._first_line = line
        self._is_nested = is_nested
        self._nested = 0
        self._known: dict[int, Any] = {}
        # A file may begin with the object itself, as JSON does. Alone, that would be a block.
        source = f"x={text}" if _JSON_FIRST.match(text) else text
        self._root = _parser().parse(source.encode()).root_node
        self._constants = self._find_constants()

    def objects(self) -> list[Object]:
        objects: list[Object] = []
        for node in _outermost(self._root, ("object", "string", "template_string")):
            value = self._value(node, 0)
            if isinstance(value, Object):
                objects.append(value)
        if not self._is_nested:
            for found in islice(_DART_TEXT.finditer(self._text), LARGEST_NESTING):
                line = self._first_line + self._text.count("\n", 0, found.start("text"))
                objects += _Reader(found["text"], line, is_nested=True).objects()
        for node in self._exported():
            value = self._value(node, 0)
            if isinstance(value, Object):
                value.is_exported = True
        return objects

    def constants(self) -> Object:
        made = Object(self._first_line, self.fault_line)
        for name, node in self._constants.items():
            value = self._value(node, 0)
            if isinstance(value, str):
                made[name], made.lines[name] = value, self._line(node)
        return made

    @property
    def fault_line(self) -> int | None:
        return self._fault_line(self._root)

    def _find_constants(self) -> dict[str, Node]:
        """The values of the variables that are assigned once, by name."""
        found: dict[str, list[Node]] = {}
        for node in _outermost(self._root, ("variable_declarator",)):
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name and value:
                found.setdefault(_source(name), []).append(value)
        return {name: values[0] for name, values in found.items() if len(values) == 1}

    def _exported(self) -> Iterator[Node]:
        """What the file exports by default, or passes to `Amplify.configure`."""
        for node in _outermost(self._root, ("export_statement", "assignment_expression", "call_expression")):
            if node.type == "export_statement":
                exported = node.child_by_field_name("value")
            elif node.type == "assignment_expression":
                left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
                exported = right if left and _source(left) in _EXPORTED else None
            else:
                called, arguments = (
                    node.child_by_field_name("function"),
                    node.child_by_field_name("arguments"),
                )
                is_configure = called and _source(called).endswith(".configure")
                exported = arguments.named_child(0) if is_configure and arguments else None
            if exported:
                yield exported

    def _value(self, node: Node, depth: int) -> Any:
        if node.id not in self._known:
            self._known[node.id] = Expression(_source(node))  # for what names itself
            if depth < LARGEST_DEPTH:
                self._known[node.id] = self._find_value(node, depth + 1)
        return self._known[node.id]

    def _find_value(self, node: Node, depth: int) -> Any:
        if node.type in _TRANSPARENT and node.named_children:
            return self._value(node.named_children[_TRANSPARENT[node.type]], depth)
        match node.type:
            case "object":
                return self._object(node, depth)
            case "array":
                return [self._value(item, depth) for item in node.named_children if item.type != "comment"]
            case "string" | "template_string":
                return self._text_of(node, depth)
            case "number":
                return _number(_source(node))
            case "unary_expression" if _source(node).startswith("-"):
                return _number(_source(node))
            case "binary_expression":
                return self._sum(node, depth)
            case "true" | "false" | "null" | "undefined":
                return _CONSTANTS[node.type]
            case "identifier" | "shorthand_property_identifier" if _source(node) in self._constants:
                return self._value(self._constants[_source(node)], depth)
            case "member_expression":
                return self._member(node, depth)
            case "call_expression":
                return self._result(node, depth)
        return Expression(_source(node))

    def _object(self, node: Node, depth: int) -> Object:
        made = Object(self._line(node), self._fault_line(node))
        for child in node.named_children:
            key, value = _name_and_value(child)
            if child.type == "spread_element":
                base = self._value(child.named_children[0], depth) if child.named_children else None
                if isinstance(base, Object):
                    made.update(base)
                    made.lines.update(base.lines)
            elif key and value:
                name = _text(key) if key.type == "string" else _source(key)
                made[name] = self._value(value, depth)
                made.lines[name] = self._line(key)
        return made

    def _text_of(self, node: Node, depth: int) -> Any:
        """The text; or, of a text that is an object in JSON, that object."""
        parts = []
        for child in node.children[1:-1]:
            part = (
                self._value(child.named_children[0], depth)
                if child.type == "template_substitution" and child.named_children
                else _unescaped(child)
            )
            if not isinstance(part, str):
                return Expression(_source(node))
            parts.append(part)
        text = "".join(parts)
        if len(text) > LARGEST_TEXT and len(parts) > 1:
            return Expression(_source(node))
        if text.lstrip().startswith("{") and not self._is_nested and self._nested < LARGEST_NESTING:
            self._nested += 1
            objects = _Reader(text, self._line(node), is_nested=True).objects()
            return objects[0] if objects else text
        return text

    def _sum(self, node: Node, depth: int) -> Any:
        """The value of `a + b` for texts."""
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left and right and len(node.children) > 1 and node.children[1].type == "+":
            values = self._value(left, depth), self._value(right, depth)
            if (
                isinstance(values[0], str)
                and isinstance(values[1], str)
                and sum(map(len, values)) < LARGEST_TEXT
            ):
                return values[0] + values[1]
        return Expression(_source(node))

    def _member(self, node: Node, depth: int) -> Any:
        """The value of `a.b`, if `a` is an object of this file."""
        of, name = node.child_by_field_name("object"), node.child_by_field_name("property")
        value = self._value(of, depth) if of and of.type in ("identifier", "member_expression") else None
        if isinstance(value, Object) and name and _source(name) in value:
            return value[_source(name)]
        return Expression(_source(node))

    def _result(self, node: Node, depth: int) -> Any:
        called, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if called and arguments and _source(called) in _READERS and arguments.named_children:
            return self._value(arguments.named_children[0], depth)
        return Expression(_source(node))

    def _line(self, node: Node) -> int:
        return self._first_line + node.start_point[0]

    def _fault_line(self, node: Node) -> int | None:
        if not node.has_error:
            return None
        faults = _all(node, lambda one: one.type == "ERROR" or one.is_missing)
        return next((self._line(fault) for fault in faults), None)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_typescript.language_typescript()))


def _name_and_value(node: Node) -> tuple[Node | None, Node | None]:
    """The key and the value of a member of an object literal, if both are written down."""
    if node.type == "shorthand_property_identifier":
        return node, node
    key = node.child_by_field_name("key") if node.type == "pair" else None
    if key and key.type == "computed_property_name":
        key = next((name for name in key.named_children if name.type == "string"), None)
    return key, node.child_by_field_name("value") if key else None


def _outermost(root: Node, kinds: tuple[str, ...]) -> Iterator[Node]:
    """The nodes of these kinds that are not inside another, in order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.type in kinds:
            yield node
        else:
            waiting.extend(reversed(node.children))


def _all(root: Node, is_wanted: Callable[[Node], bool]) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if is_wanted(node):
            yield node
        waiting.extend(reversed(node.children))


def _source(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _text(string: Node) -> str:
    return "".join(_unescaped(child) for child in string.children[1:-1])


def _unescaped(node: Node) -> str:
    """The text of a part of a string. docs: ECMAScript, "String Literals"."""
    source = _source(node)
    if node.type != "escape_sequence":
        return source
    escaped = source[1:]
    if escaped[0] in "xu":
        code = int(escaped[1:].strip("{}"), 16)
        return chr(code) if code <= sys.maxunicode else source  # no character: JavaScript rejects it
    if escaped in ("\n", "\r\n"):  # the text continues on the next line
        return ""
    return _SIMPLE_ESCAPES.get(escaped, escaped)


def _number(source: str) -> Any:
    try:
        return json.loads(source)
    except ValueError:  # hexadecimal and the like, which no key needs
        return Expression(source)
