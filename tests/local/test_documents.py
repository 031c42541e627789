"""The tutorial and the recipes tell the truth: each of their commands is run, and prints what they show."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.confined import NUMBERS
from tests.conftest import REPOSITORY
from tests.documents import reader
from tests.in_process import run_here
from tests.processes import PASSWORD, Running, Stack, aws_cli_folder, environment, run
from tests.waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the shell of the docs is POSIX")

DOCS = REPOSITORY / "docs"
RECIPES = [*sorted((DOCS / "how-to").glob("*.md")), DOCS / "history.md", DOCS / "scripting.md"]
AWS_SETUP = DOCS / "aws-setup.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the reader works: a home folder with the examples."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "examples").symlink_to(REPOSITORY / "examples")
    monkeypatch.chdir(home)
    return home


def test_the_tutorial_can_be_typed_as_it_stands(folder: Path, tmp_path: Path) -> None:
    def typed(line: str) -> dict[str, str]:
        return {"AWS_IOT_PASSWORD": PASSWORD} if line.startswith(("aws-iot signup", "aws-iot login")) else {}

    with reader(folder, environment(tmp_path / "config"), more=typed) as person:
        person.read(DOCS / "tutorial.md")
        assert len(person.running) == 3


@pytest.fixture
def member(stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a signed-in member whose settings are where they are without AWS_IOT_CONFIG_DIR."""
    saved = Path(stack.person().env["AWS_IOT_CONFIG_DIR"])
    env = environment(folder, AWS_IOT_PROFILE=stack.profile.key)
    for name in [name for name in env if name.startswith(("AWS_IOT_CONFIG", "XDG_"))]:
        del env[name]
    shutil.copytree(saved, folder / ".config" / "aws-iot-cli")
    shutil.copytree(saved / "sessions", folder / ".cache" / "aws-iot-cli" / "sessions")
    run_here(f"config use {stack.profile.key}", env)  # for what runs without these variables
    return env


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in RECIPES])
def test_a_recipe_can_be_typed_as_it_stands(page: Path, folder: Path, member: dict[str, str]) -> None:
    if "| jq" in page.read_text(encoding="utf-8") and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    run_here("pub -q -r lobby -m hello", member)  # the history is not empty
    with reader(folder, member) as person:
        person.read(page)


def sections(page: Path) -> dict[str, str]:
    """The parts of a page that have commands, by title."""
    parts = re.split(r"^## (.*)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: text for title, text in zip(parts[1::2], parts[2::2], strict=True) if "```console" in text}


@pytest.mark.parametrize("title", sections(AWS_SETUP))
def test_an_admin_can_type_each_part_of_the_page_about_aws(
    title: str, stack: Stack, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_name = f"by-{title.split()[-1]}"
    text = re.sub("(?<=--stack-name )chat", stack_name, sections(AWS_SETUP)[title])
    if "$ aws " in text:
        monkeypatch.setenv("PATH", str(aws_cli_folder()), prepend=os.pathsep)
    part = tmp_path / "part.md"
    part.write_text(text, encoding="utf-8")
    config = {"AWS_IOT_CONFIG_DIR": str(tmp_path / "config"), "AWS_IOT_BACKEND_NAME": stack_name}
    env = stack.account_env | config
    del env["AWS_IOT_PROFILE"]

    def typed(line: str) -> dict[str, str]:
        return {"AWS_IOT_BACKEND_DESTROY_YES": stack_name} if line == "aws-iot backend destroy" else {}

    with reader(folder, env, more=typed) as person:
        person.read(part)
    if "backend destroy" not in text:
        run_here(f"backend destroy --yes {stack_name}", env)


def test_cron_runs_the_script_of_its_recipe(folder: Path) -> None:
    page = (DOCS / "how-to" / "cron.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^```text\n(\d.*)\n```$", page, re.MULTILINE)
    *when, command = line.split(" ", 5)
    assert when == ["0", "7", "*", "*", "*"]
    (folder / "report.sh").write_text("echo it runs")
    done = subprocess.run(
        ["/bin/sh", "-c", command],  # as cron does
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    assert done.stdout == "it runs\n"


UNIT = REPOSITORY / "examples" / "systemd" / "aws-iot-bot.service"
SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@SYSTEMD
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    program = "/opt/aws-iot-bot/bin/python"
    text = UNIT.read_text(encoding="utf-8")
    assert program in text
    # Its program need not be installed for this test.
    unit.write_text(text.replace(program, sys.executable), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert UNIT.name not in done.stderr
    assert done.returncode == 0, done.stderr


@SYSTEMD
def test_the_unit_is_as_little_exposed_as_its_recipe_says() -> None:
    page = (DOCS / "how-to" / "systemd.md").read_text(encoding="utf-8")
    [said] = re.findall(r"^\| this one \| ([\d.]+) \|$", page, re.MULTILINE)
    done = subprocess.run(
        [*shlex.split("systemd-analyze security --offline=true --no-pager"), UNIT],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    if "offline" in done.stderr:
        pytest.skip("this systemd-analyze cannot check a file")
    [found] = re.findall(r"exposure level for \S+: ([\d.]+)", done.stdout)
    # Newer versions of systemd rate more things.
    assert float(found) <= float(said) + 0.5, done.stdout


@SYSTEMD
@pytest.mark.long
@pytest.mark.skipif(not NUMBERS.exists(), reason="needs the headers of Linux on x86-64")
def test_the_bot_works_under_the_restrictions_of_its_unit(stack: Stack) -> None:
    program = [sys.executable, str(REPOSITORY / "tests" / "confined.py"), str(UNIT)]
    bot = [sys.executable, str(REPOSITORY / "examples" / "bot.py")]
    room = "confined"
    asker = stack.person()
    denied = subprocess.run(
        [*program, sys.executable, "-c", "import os; os.nice(1)"], capture_output=True, text=True, check=False
    )
    if "prctl" in denied.stderr:
        pytest.skip(f"this kernel cannot do it: {denied.stderr}")
    assert "Operation not permitted" in denied.stderr, "the filter filters nothing"
    process = Running(room, stack.person().env, command=[*program, *bot])
    listener = Running(f"sub -r {room} -C 2", asker.env)
    try:
        process.wait_for("^Receiving")
        listener.wait_for("^Receiving")
        run(f"pub -r {room} -m !ping", asker.env)
        assert listener.wait() == 0
        assert listener.stdout[-1].endswith(": pong")
        assert process.signal(signal.SIGTERM) == 0, process.report()
    finally:
        process.kill()
        listener.kill()


CONTAINER = REPOSITORY / "examples" / "container"
RECIPE = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
STEPS = [line for line in RECIPE.replace("\\\n", " ").splitlines() if line and line[0] not in "# "]
COPIED = [
    word for line in STEPS if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
]
"""The files and folders of the project that get into the image."""


def test_the_container_runs_as_a_user_without_rights_and_passes_signals_on() -> None:
    [user] = [line for line in STEPS if line.startswith("USER ")]
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", user)
    assert not any(line.startswith("RUN ") for line in STEPS[STEPS.index(user) :])
    assert any(line.startswith("ENTRYPOINT [") for line in STEPS), "a shell would not pass signals on"


def test_the_container_gets_what_the_package_is_built_from_and_nothing_else() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {path.split("/")[0] for path in [*wheel["packages"], *wheel.get("shared-data", {})]}
    assert needed | {"pyproject.toml", "README.md", "LICENSE", "examples/bot.py"} == set(COPIED)
    assert all((REPOSITORY / name).exists() for name in COPIED)
    ignored = (CONTAINER / "Containerfile.containerignore").read_text(encoding="utf-8")
    assert ignored.splitlines()[1] == "*"
    assert set(re.findall(r"^!(.*)$", ignored, re.MULTILINE)) == set(COPIED)
