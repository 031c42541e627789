"""The public API: what `import aws_iot` offers, and how little it loads."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import aws_iot
from tests.processes import environment
from tests.project.test_startup import HEAVY
from tests.waiting import DEADLINE_SECONDS

# `python -c` this: the modules that are loaded by the import, and by the use of every name.
LOADED = """
import json, sys
before = set(sys.modules)
import aws_iot
imported = set(sys.modules) - before
for name in aws_iot.__all__:
    getattr(aws_iot, name)
print(json.dumps([sorted(imported), sorted(sys.modules)]))
"""
WHY = (
    "A script that imports aws_iot waits for every module that this loads, and so does the command."
    " Import it inside the function that needs it."
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    """The modules that the import loads, and those after the use of every public name."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=environment(tmp_path_factory.mktemp("config")),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    imported, used = json.loads(done.stdout)
    return set(imported), set(used)


def test_importing_the_package_loads_no_other_module_of_it(loaded: tuple[set[str], set[str]]) -> None:
    imported, _ = loaded
    assert {name for name in imported if name.startswith("aws_iot")} == {"aws_iot"}, WHY
    assert not (heavy := (HEAVY | {"click"}).intersection(imported)), f"{heavy} is loaded. {WHY}"


def test_no_library_of_a_service_is_loaded_before_connect(loaded: tuple[set[str], set[str]]) -> None:
    _, used = loaded
    assert "aws_iot.api" in used
    assert not (heavy := (HEAVY | {"click"}).intersection(used)), f"{heavy} is loaded. {WHY}"


def test_type_checkers_see_the_names_that_exist_at_run_time() -> None:
    tree = ast.parse(Path(aws_iot.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed | {"__version__"} == set(aws_iot.__all__) == set(dir(aws_iot))


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(aws_iot, "no_such_name")
