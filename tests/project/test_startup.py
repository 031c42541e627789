"""What is loaded before a command does anything: only what it needs."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import environment
from tests.project.commands import COMMANDS
from tests.waiting import DEADLINE_SECONDS

HEAVY = {
    "boto3",
    "botocore",
    "pycognito",
    "awscrt",
    "textual",
    "sqlite3",
    "aws_iot.history",
    "asyncio",
    "keyring",
    "segno",
    "tree_sitter",
    "concurrent.futures",
}
LINES = [*(f"{path} --help".strip() for path in COMMANDS), "--version", "config list", "config show -k team"]
WHY = (
    "A command makes its user wait for every module that it loads: boto3 alone takes longer than all of"
    " `--help`. Import it inside the method of app.py that needs it, or inside the function."
)

# `python -c` this, with lines in sys.argv: which exit code and which new modules each line led to.
LOADED_BY_EACH_LINE = """
import contextlib, io, json, shlex, sys
from aws_iot.cli.root import root
report, known = {}, set()
for line in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()):
        code = root(shlex.split(line), prog_name="aws-iot", standalone_mode=False)
    report[line] = (code or 0, sorted(set(sys.modules) - known))
    known |= set(sys.modules)
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user with a profile named `team`."""
    env = environment(tmp_path_factory.mktemp("config"))
    run_here(f"config -s {shlex.quote(str(REPOSITORY / 'aws-exports.sample.json'))} -k team -u alice", env)
    return env


@pytest.fixture(scope="module")
def loaded(person: dict[str, str]) -> dict[str, tuple[int, list[str]]]:
    """Exit code and modules of each line, all in one interpreter that has loaded nothing else."""
    command = [sys.executable, "-c", LOADED_BY_EACH_LINE, *LINES]
    done = subprocess.run(
        command, env=person, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, tuple[int, list[str]]] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("line", LINES)
def test_a_command_without_a_service_loads_no_library_of_one(
    loaded: dict[str, tuple[int, list[str]]], line: str
) -> None:
    code, modules = loaded[line]
    assert code == 0
    assert not (heavy := HEAVY.intersection(modules)), f"`aws-iot {line}` loads {heavy}. {WHY}"


def test_help_of_the_real_process_loads_nothing_heavy(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "aws_iot", "--help"]
    env = environment(tmp_path)
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    )
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "aws_iot.cli.root" in modules
    assert not (heavy := HEAVY.intersection(modules)), f"`python -m aws_iot --help` loads {heavy}. {WHY}"
