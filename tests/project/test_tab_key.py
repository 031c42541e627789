"""The Tab key in real shells: the line that it completes, as the shell then runs it."""

import os
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws_iot.app import App
from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import COMMAND, environment
from tests.terminal import NEEDED, on_a_terminal, read_until, type_in

pytestmark = NEEDED

# Answers the Tab key as aws-iot does, and prints its arguments otherwise.
PROGRAM = f"""\
#!/bin/sh
if [ "$_AWS_IOT_COMPLETE" ]; then exec {" ".join(COMMAND)}; fi
echo given
printf '<%s>' "$@"
echo end
"""
SHELLS = {
    "bash": ["bash", "--noprofile", "--rcfile", "{script}", "-i"],
    "zsh": ["zsh", "-d", "-i"],
    "fish": ["fish", "--no-config", "--private", "--interactive", "--init-command", "source {script}"],
}
COMPINIT = "autoload -Uz compinit && compinit -D -u"
# How each shell loads the script, and the settings of people that could break it.
SETTINGS = {
    "bash": "PS1='ready> '; source {source}",
    "bash with other settings": """\
PS1='ready> '; source {source}
shopt -s nullglob failglob nocasematch; set -u -f -o noclobber -o posix
IFS=nesf COMP_WORDBREAKS=${{COMP_WORDBREAKS//:}}""",
    "zsh": f"PS1='ready> '; {COMPINIT}; source {{source}}",
    "zsh with other settings": f"""\
PS1='ready> '; fpath=({{source.parent}} $fpath); {COMPINIT}
setopt KSH_ARRAYS KSH_AUTOLOAD SH_WORD_SPLIT NULL_GLOB EXTENDED_GLOB GLOB_SUBST NO_UNSET""",
    "fish": "function fish_prompt; printf 'ready> '; end; source {source}",
}
SAMPLE = REPOSITORY / "aws-exports.sample.json"
Type = Callable[[str], list[str]]


@contextmanager
def shell(name: str, folder: Path, settings: str = "") -> Iterator[Type]:
    """A function that types a line, presses Tab and Enter, and returns the arguments with which the shell ran it."""
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    env = environment(folder / "config") | {"HOME": str(folder), "ZDOTDIR": str(folder), "TERM": "xterm"}
    env["INPUTRC"] = os.devnull  # bash would read it from the environment
    for key in ("default", "team", "test"):
        run_here(f"config -s {shlex.quote(str(SAMPLE))} -k {key}", env)
    known = App.in_folder(folder / "config").config.known_names("default")
    known.add_rooms(["lobby", "us:east", "us:west", "ops/#"])
    known.replace_members(["bob~4f9fa251"])
    (folder / "here" / "folder").mkdir(parents=True)
    for file in ("data.txt", "my data.txt", "a=b.txt"):
        (folder / "here" / file).touch()
    program = folder / "bin" / "aws-iot"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    source, script = folder / "scripts" / "_aws-iot", folder / ".zshrc"
    source.parent.mkdir()
    source.write_text(run_here(f"completion {name}", env).stdout)
    script.write_text(f"{(settings or SETTINGS[name]).format(source=source)}\n")
    line = [word.format(script=script) for word in SHELLS[name]]
    env |= {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    with on_a_terminal(line, env, folder / "here") as process:

        def press_tab(typed: str) -> list[str]:
            read_until(process, b"ready> ")
            type_in(process, f"{typed}\t\r".encode())
            read_until(process, b"given\r\n<")
            given = read_until(process, b">end\r\n").decode().removesuffix(">end\r\n")
            # zsh removes the slash after a folder again.
            return [word.rstrip("/") for word in given.replace(str(folder), "~").split("><")]

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
    "aws-iot pub -r op": ["pub", "-r", "ops/#"],
    "aws-iot admin revoke bo": ["admin", "revoke", "bob~4f9fa251"],
    "aws-iot pub -r 'lo": ["pub", "-r", "lobby"],
    "aws-iot pub --file da": ["pub", "--file", "data.txt"],
    "aws-iot pub --file=da": ["pub", "--file=data.txt"],
    "aws-iot spool clear fo": ["spool", "clear", "folder"],
    "aws-iot pub -m 'two  words' -r lo": ["pub", "-m", "two  words", "-r", "lobby"],
    "true; VARIABLE=1 aws-iot su": ["sub"],
    "echo | aws-iot su": ["sub"],
    "~/bin/aws-iot su": ["sub"],
    "aws-iot pub --file ~/he": ["pub", "--file", "~/here"],
    "aws-iot pub --file 'my": ["pub", "--file", "my data.txt"],
    "aws-iot sub < da": ["sub"],
}
# Other shells complete the part after the second `=` as well, as a file of its own.
ONLY_IN_ZSH = {"aws-iot pub --file=a=": ["pub", "--file=a=b.txt"]}


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_line_that_tab_completes_is_the_one_that_runs(settings: str, tmp_path: Path) -> None:
    name = settings.partition(" ")[0]
    expected = COMPLETED | (ONLY_IN_ZSH if name == "zsh" else {})
    with shell(name, tmp_path, SETTINGS[settings]) as press_tab:
        assert {typed: press_tab(typed) for typed in expected} == expected


@pytest.mark.parametrize("name", SHELLS)
def test_a_program_outside_the_path_completes_its_own_lines(name: str, tmp_path: Path) -> None:
    with shell(name, tmp_path) as press_tab:
        (tmp_path / "bin").rename(tmp_path / "my bin")
        assert press_tab(r"~/my\ bin/aws-iot su") == ["sub"]


@pytest.mark.parametrize("name", SHELLS)
def test_an_alias_completes_as_well(name: str, tmp_path: Path) -> None:
    settings = f"{SETTINGS[name]}\nalias ai=aws-iot"
    if name == "bash":
        settings += "; complete -F _aws_iot ai"
    with shell(name, tmp_path, settings) as press_tab:
        assert press_tab("ai su") == ["sub"]
