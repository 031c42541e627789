"""The docs match the code, and their links work."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.waiting import DEADLINE_SECONDS

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|yaml))?)`")
SOURCE = REPOSITORY / "src" / "aws_iot"
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)


def test_generated_docs_are_up_to_date() -> None:
    command = [sys.executable, str(REPOSITORY / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [pytest.param(p, id=p.relative_to(REPOSITORY).as_posix()) for p in PAGES])
def test_relative_links_lead_to_files_that_exist(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [next(filter(None, groups)) for groups in LINK.findall(text)]
    relative = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    broken = [target for target in relative if not _exists(page.parent / target.partition("#")[0])]
    assert broken == []


@pytest.mark.parametrize("page", [pytest.param(p, id=p.relative_to(REPOSITORY).as_posix()) for p in PAGES])
def test_files_and_folders_named_in_the_docs_exist(page: Path) -> None:
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (_exists(SOURCE / name) or _exists(REPOSITORY / name))] == []


def _exists(path: Path) -> bool:
    return path.is_file() or any(path.glob("*"))  # git keeps no empty folder
