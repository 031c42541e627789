"""Each module can be read, and imported, by itself."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.waiting import DEADLINE_SECONDS

SOURCE = REPOSITORY / "src"
FLOW = ("config", "auth", "messaging", "publishing", "policy", "doctor", "backend", "errors", "files", "app")
# Importing the engine of the local stack configures logging, so only a process of the stack does that.
OF_THE_ENGINE = ("aws_iot.local.gateway", "aws_iot.local.patches.")

# Each module is imported when nothing of ours is loaded yet, so that no other module can have prepared its way.
IMPORT_EACH = """
import gc, importlib, sys
gc.disable()  # which takes longer than it saves here
for name in sys.argv[1:]:
    for loaded in [m for m in sys.modules if m.partition(".")[0] == "aws_iot"]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise SystemExit(f"{name} cannot be imported first: {error}")
"""


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {dotted(path): path for path in sorted((SOURCE / "aws_iot").rglob("*.py"))}


def test_each_module_can_be_imported_first() -> None:
    names = [
        name for name in MODULES if not name.startswith(OF_THE_ENGINE) and not name.endswith(".__main__")
    ]
    command = [sys.executable, "-c", IMPORT_EACH, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """The syntax tree of each module."""
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def test_each_module_opens_with_a_sentence_that_says_what_it_is(trees: dict[str, ast.Module]) -> None:
    openings = {name: (ast.get_docstring(tree) or "").split("\n\n")[0] for name, tree in trees.items()}
    assert [name for name, opening in openings.items() if not opening.rstrip().endswith((".", "!"))] == []


def test_each_public_class_and_function_of_the_domain_has_a_docstring(trees: dict[str, ast.Module]) -> None:
    defined = [
        (name, node)
        for name, tree in trees.items()
        if name.split(".")[1:2] and name.split(".")[1] in FLOW
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert len(defined) > 100
    assert [(name, node.name) for name, node in defined if not ast.get_docstring(node)] == []
