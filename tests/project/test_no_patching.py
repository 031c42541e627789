"""Tests pass fakes in. None replaces a part of the program, which would say nothing about how its parts fit."""

import ast
import re

from tests.conftest import REPOSITORY

INSTEAD = "Pass a fake in. If that is not possible, the code under test lacks an argument."
FILES = sorted((REPOSITORY / "tests").rglob("*.py"))


def patches(source: str) -> list[int]:
    """The lines that replace an attribute: by `monkeypatch`, or by what only mypy would reject."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    replaced = [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("setattr", "delattr", "setitem", "delitem")
    ]
    suppressed = re.compile(r"#\s*type:\s*ignore\[[^]]*method-assign")
    lines = enumerate(source.splitlines(), 1)
    return sorted({*replaced, *(number for number, line in lines if suppressed.search(line))})


def test_no_test_patches() -> None:
    found = {str(file.relative_to(REPOSITORY)): patches(file.read_text(encoding="utf-8")) for file in FILES}
    assert {file: lines for file, lines in found.items() if lines} == {}, INSTEAD


def test_a_patch_is_found() -> None:
    mark = "type: ignore"
    source = f'monkeypatch.setattr(module, "name", 1)\nmonkeypatch.setenv("A", "1")\na.b = c  # {mark}[method-assign]'
    assert patches(source) == [1, 3]
