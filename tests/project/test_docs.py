"""The docs match the code, and their links work."""

import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click
import pytest

from aws_iot.cli.root import root
from tests.conftest import REPOSITORY
from tests.documents import blocks
from tests.waiting import DEADLINE_SECONDS

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
PUBLISHED = [*PAGES, *REPOSITORY.glob("examples/**/*.md"), *REPOSITORY.glob("benchmarks/**/*.md")]
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|yaml))?)`")
SOURCE = REPOSITORY / "src" / "aws_iot"
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)|(?:href|src)=\"([^\"]+)\"", re.MULTILINE)


def _name(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def test_generated_docs_are_up_to_date() -> None:
    command = [sys.executable, str(REPOSITORY / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_lead_to_files_that_exist(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [next(filter(None, groups)) for groups in LINK.findall(text)]
    relative = [target for target in targets if not re.match(r"[a-z]+:|#", target)]
    broken = [target for target in relative if not _exists(page.parent / target.partition("#")[0])]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_files_and_folders_named_in_the_docs_exist(page: Path) -> None:
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not (_exists(SOURCE / name) or _exists(REPOSITORY / name))] == []


def _exists(path: Path) -> bool:
    return path.is_file() or any(path.glob("*"))  # git keeps no empty folder


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    config = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +- [^:]+: (\S+\.md)$", config.partition("\nnav:\n")[2], re.MULTILINE)
    listed = [path for entry in entries for path in REPOSITORY.glob(entry)]
    assert sorted(set(PUBLISHED) - set(listed)) == []
    assert [entry for entry in entries if not any(REPOSITORY.glob(entry))] == []


PROMISE = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")


def test_each_promise_of_the_threat_model_has_a_test_that_exists() -> None:
    text = (REPOSITORY / "docs" / "threat-model.md").read_text(encoding="utf-8")
    missing = [
        f"{path}::{name}"
        for name, path in PROMISE.findall(text)
        if f"\ndef {name}(" not in (REPOSITORY / path).read_text(encoding="utf-8")
    ]
    assert missing == []
    tables = [part.split("\n\n")[0] for part in text.split("| promise | test |\n| --- | --- |\n")[1:]]
    promises = [line for table in tables for line in table.splitlines()]
    assert len(promises) > 30
    assert [line for line in promises if not PROMISE.search(line)] == []


RUN_BY = {
    "README.md": "local/test_readme.py",
    "CONTRIBUTING.md": "project/test_contributing.py",
    "docs/aws-setup.md": "local/test_documents.py",
    "docs/history.md": "local/test_documents.py",
    "docs/how-to/*.md": "local/test_documents.py",
    "docs/python.md": "local/test_python_api.py",
    "docs/scripting.md": "local/test_documents.py",
    "docs/tutorial.md": "local/test_documents.py",
}
"""The test that runs the commands and programs of each page that has some."""

RUNNABLE = {"console", "sh", "bash", "shell", "python", "powershell"}
COMMAND_WITHOUT_A_BLOCK = re.compile(r"^(?: {4}|\t)(?:\$ |aws-iot |aws |make |pip |export )", re.MULTILINE)


@pytest.mark.parametrize("page", PUBLISHED, ids=_name)
def test_each_command_of_a_page_is_run_or_says_why_not(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = [one for one in blocks(page) if one.language in RUNNABLE]
    # `blocks` does not see a block within a list.
    assert len(found) == len(re.findall(rf"^ *```(?:{'|'.join(RUNNABLE)})$", text, re.MULTILINE))
    assert all(one.value for one in found if one.mark == "not run")
    if any(one.mark != "not run" for one in found):
        [test] = [test for pattern, test in RUN_BY.items() if page in REPOSITORY.glob(pattern)]
        assert page.parent.name == "how-to" or page.name in (REPOSITORY / "tests" / test).read_text("utf-8")
    outside = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not COMMAND_WITHOUT_A_BLOCK.findall(outside), "write them as a console block"


def test_few_commands_of_the_docs_are_not_run_and_each_has_a_reason() -> None:
    not_run = Counter(
        (page.relative_to(REPOSITORY).as_posix(), block.value)
        for page in PAGES
        for block in blocks(page)
        if block.mark == "not run"
        for _ in block.commands
    )
    assert {page for page, _ in not_run} == {
        "CONTRIBUTING.md",
        "docs/aws-setup.md",
        "docs/chat.md",
        "docs/doctor.md",
        "docs/history.md",
        "docs/how-to/alerting.md",
        "docs/how-to/container.md",
        "docs/how-to/cron.md",
        "docs/how-to/systemd.md",
        "docs/python.md",
        "docs/tutorial.md",
    }
    assert all(reason for _, reason in not_run)
    assert not_run["docs/tutorial.md", "a test has the package installed"] == 3


QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def _typed() -> list[tuple[str, str]]:
    """Each command of this program that a console in the docs shows, and its page."""
    return [
        (page.relative_to(REPOSITORY).as_posix(), words)
        for page in PAGES
        for block in CONSOLE.findall(page.read_text(encoding="utf-8"))
        for line in re.findall(r"^ *\$ (.*)$", block, re.MULTILINE)
        for words in re.findall(r"(?:^|[|;&({] *)(aws-iot(?: [^|;&()$<>`]*)?)", re.sub(QUOTED, "X", line))
    ]


@pytest.mark.parametrize(
    ("page", "words"), [pytest.param(*one, id=" ".join(one)[:80]) for one in sorted(set(_typed()))]
)
def test_a_command_in_the_docs_exists_and_has_its_options(page: str, words: str) -> None:
    found: click.Command = root
    rest = shlex.split(words)[1:]
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        sub = found.get_command(click.Context(found), rest[0])
        if not sub:
            break  # so it must be an argument of the group
        found = sub
        del rest[0]
    _, left, _ = found.make_parser(click.Context(found)).parse_args(rest)
    assert not left or any(isinstance(one, click.Argument) for one in found.params), words
