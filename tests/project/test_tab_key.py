"""The Tab key in real shells: the line that it completes, as the shell then runs it."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws_iot.app import App
from tests import terminal
from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import COMMAND, environment

pytestmark = terminal.NEEDED

# Answers the Tab key as aws-iot does, and prints its arguments otherwise.
PROGRAM = f"""\
#!/bin/sh
if [ "$_AWS_IOT_COMPLETE" ]; then exec {" ".join(COMMAND)}; fi
echo given
printf '<%s>' "$@"
echo end
"""
SHELLS = {
    "bash": (["bash", "--noprofile", "--rcfile", "{script}", "-i"], "PS1='ready> '\nsource {source}"),
    "zsh": (["zsh", "-d", "-i"], "PS1='ready> '\nautoload -Uz compinit\ncompinit -D -u\nsource {source}"),
    "fish": (
        ["fish", "--no-config", "--private", "--interactive", "--init-command", "source {script}"],
        "function fish_prompt; printf 'ready> '; end\nsource {source}",
    ),
}
SAMPLE = REPOSITORY / "aws-exports.sample.json"
Type = Callable[[str], list[str]]


@pytest.fixture(params=SHELLS)
def press_tab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Type]:
    """A function that types a line, presses Tab and Enter, and returns the arguments with which the shell ran it."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    with _shell(request.param, tmp_path) as press_tab:
        yield press_tab


@contextmanager
def _shell(name: str, folder: Path) -> Iterator[Type]:
    env = environment(folder / "config") | {"ZDOTDIR": str(folder), "TERM": "xterm"}
    for key in ("team", "test"):
        run_here(f"config -s {shlex.quote(str(SAMPLE))} -k {key}", env)
    App.in_folder(folder / "config").config.known_names("default").add_rooms(["lobby", "us:east", "us:west"])
    (folder / "here" / "folder").mkdir(parents=True)
    (folder / "here" / "data.txt").touch()
    program = folder / "bin" / "aws-iot"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    source, script = folder / "source", folder / ".zshrc"
    source.write_text(run_here(f"completion {name}", env).stdout)
    command, lines = SHELLS[name]
    script.write_text(f"{lines.format(source=source)}\n")
    line = [word.format(script=script) for word in command]
    env |= {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    with terminal.on_a_terminal(line, env, folder / "here") as process:
        assert process.stdout
        descriptor, shown = process.stdout.fileno(), b""

        def read_until(words: bytes) -> str:
            nonlocal shown
            while words not in shown and (more := os.read(descriptor, 4096)):
                shown += more
            before, found, shown = shown.partition(words)
            assert found, before
            return before.decode()

        def press_tab(typed: str) -> list[str]:
            read_until(b"ready> ")
            terminal.type_in(process, f"{typed}\t\r".encode())
            read_until(b"given\r\n<")
            return [word.rstrip("/") for word in read_until(b">end\r\n").split("><")]  # zsh removes it again

        yield press_tab


COMPLETED = {
    "aws-iot su": ["sub"],
    "aws-iot config l": ["config", "list"],
    "aws-iot sub --no-h": ["sub", "--no-history"],
    "aws-iot sub -k tea": ["sub", "-k", "team"],
    "aws-iot sub --profile=tea": ["sub", "--profile=team"],
    "aws-iot sub --profile tea": ["sub", "--profile", "team"],
    "aws-iot pub -r us:e": ["pub", "-r", "us:east"],
    "aws-iot pub --room=us:e": ["pub", "--room=us:east"],
    "aws-iot pub -r 'lo": ["pub", "-r", "lobby"],
    "aws-iot pub --file da": ["pub", "--file", "data.txt"],
    "aws-iot pub --file=da": ["pub", "--file=data.txt"],
    "aws-iot spool clear fo": ["spool", "clear", "folder"],
    "aws-iot pub -m 'two  words' -r lo": ["pub", "-m", "two  words", "-r", "lobby"],
    "true; VARIABLE=1 aws-iot su": ["sub"],
}


def test_the_line_that_tab_completes_is_the_one_that_runs(press_tab: Type) -> None:
    assert {typed: press_tab(typed) for typed in COMPLETED} == COMPLETED
