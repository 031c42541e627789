"""The example in CONTRIBUTING.md works: its steps are followed in a copy of the project."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.documents import Reader

COPIED = (
    ".github",
    "benchmarks",
    "docs",
    "examples",
    "man",
    "requirements",
    "src",
    "tests",
    "tools",
    "*.md",
    "*.toml",
    "*.yml",
    "Makefile",
    "LICENSE",
)
"""What the checks of the project read."""


def copy_of_the_project(folder: Path) -> None:
    """A copy whose environment has the installed packages, and never installs any."""
    for pattern in COPIED:
        for path in REPOSITORY.glob(pattern):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(path, folder)
    environment = folder / ".venv"
    environment.mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != "ready":
            (environment / path.name).symlink_to(path)
    (environment / "ready").touch()


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform == "win32", reason="the shell of the docs is POSIX")
def test_the_example_of_a_new_command_works_as_it_stands(tmp_path: Path) -> None:
    copy_of_the_project(tmp_path)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "AWS_"))}
    # The copy, and not the project that is installed.
    env |= {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    reader = Reader(tmp_path, env, seconds=600)
    text = (tmp_path / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = tmp_path / "example.txt"
    example.write_text(text.partition("\n## Example")[2].partition("\n## ")[0], encoding="utf-8")
    reader.read(example)
