"""Tests pass fakes in. None replaces a part of the program, which would say nothing about how its parts fit."""

import ast
import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY / "tests")))
def test_no_test_patches(file: Path) -> None:
    assert patches(file.read_text(encoding="utf-8")) == [], INSTEAD


def test_a_patch_is_found() -> None:
    mark = "type: ignore"
    source = f'monkeypatch.setattr(module, "name", 1)\nmonkeypatch.setenv("A", "1")\na.b = c  # {mark}[method-assign]'
    assert patches(source) == [1, 3]
