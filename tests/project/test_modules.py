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
import importlib, sys
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


@pytest.mark.parametrize("name", MODULES)
def test_each_module_opens_with_a_sentence_that_says_what_it_is(name: str) -> None:
    docstring = ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8"))) or ""
    assert docstring.split("\n\n")[0].rstrip().endswith((".", "!"))


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name.split(".")[1:2] and name.split(".")[1] in FLOW]
)
def test_each_public_class_and_function_of_the_domain_has_a_docstring(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    defined = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef)]
    assert [n.name for n in defined if not n.name.startswith("_") and not ast.get_docstring(n)] == []
