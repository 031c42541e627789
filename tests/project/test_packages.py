"""The packages that are published install with pip, pipx and uv, with the oldest and the newest dependencies.

`make test-packages` runs it: it needs PyPI and the tools of requirements/release.in.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.version import Version

from aws_iot import __version__
from tests.conftest import REPOSITORY
from tests.processes import Running, environment, run
from tests.project.commands import COMMANDS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PYTHON = Path(sys.executable)
TOOLS = PYTHON.parent.parent / "release" / PYTHON.parent.name
LINES = [f"{path} --help".strip() for path in COMMANDS]
STEP_SECONDS = 600
"""How long it may take to build or to install: on a slow network, minutes."""

LIST_INSTALLED = "from importlib.metadata import distributions as d; [print(x.name, x.version) for x in d()]"


def call(*command: str | Path, **env: str) -> str:
    """Run a command of a tool to its end; what it printed."""
    done = subprocess.run(
        command,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=STEP_SECONDS,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Target:
    """What to install, and where."""

    package: Path
    constraints: Path
    folder: Path

    @property
    def requirement(self) -> str:
        """The package with the local stack."""
        return f"aws-iot-cli[local] @ {self.package.as_uri()}"


def pip(target: Target) -> Path:
    """Install with pip, into a virtual environment; the folder of the command."""
    call(PYTHON, "-m", "venv", target.folder)
    folder = target.folder / PYTHON.parent.name
    install = ("-m", "pip", "install", "--quiet", "--constraint", target.constraints, target.requirement)
    call(folder / PYTHON.name, *install)
    return folder


def pipx(target: Target) -> Path:
    """Install with pipx."""
    folders = {
        "PIPX_HOME": str(target.folder / "home"),
        "PIPX_BIN_DIR": str(target.folder / "bin"),
        "PIPX_MAN_DIR": str(target.folder / "man"),
    }
    pip_arguments = f"--pip-args=--constraint={target.constraints}"
    call(TOOLS / "pipx", "install", "--python", PYTHON, pip_arguments, target.requirement, **folders)
    return target.folder / "bin"


def uv(target: Target) -> Path:
    """Install with uv."""
    folders = {
        "UV_TOOL_DIR": str(target.folder / "tools"),
        "UV_TOOL_BIN_DIR": str(target.folder / "bin"),
    }
    install = ("tool", "install", "--quiet", "--python", PYTHON, "--constraints", target.constraints)
    call(TOOLS / "uv", *install, target.requirement, **folders)
    return target.folder / "bin"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the sdist. The wheel is built from the sdist, as on the index."""
    if not (TOOLS / PYTHON.name).exists():
        pytest.skip("the tools are not installed: `make test-packages` does that")
    folder = tmp_path_factory.mktemp("dist")
    call(TOOLS / PYTHON.name, "-m", "build", "--outdir", folder, REPOSITORY)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def oldest() -> Iterator[str]:
    """The oldest version of each dependency that pyproject.toml allows."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in (*project["dependencies"], *project["optional-dependencies"]["local"]):
        bound = re.fullmatch(r"([\w-]+)(?:>=|==)([\w.]+)(?:,<[\w.]+)?", requirement)
        assert bound, f"{requirement} has no lower bound"
        yield f"{bound[1]}=={bound[2]}"


@pytest.mark.parametrize(
    ("installer", "package", "versions"),
    [
        (pip, "wheel", "oldest"),
        (pip, "sdist", "newest"),
        (pipx, "sdist", "oldest"),
        (pipx, "wheel", "newest"),
        (uv, "wheel", "oldest"),
        (uv, "sdist", "newest"),
    ],
)
def test_it_installs_and_two_people_talk(
    installer: Callable[[Target], Path],
    package: str,
    versions: str,
    packages: dict[str, Path],
    tmp_path: Path,
) -> None:
    constraints = tmp_path / "constraints.txt"
    wanted = list(oldest()) if versions == "oldest" else []
    constraints.write_text("\n".join(wanted), encoding="utf-8")
    folder = installer(Target(packages[package], constraints, tmp_path / "installed"))
    command = shutil.which("aws-iot", path=str(folder))
    assert command, sorted(folder.iterdir())
    manuals = tmp_path / "installed" / "man" if installer is pipx else share(Path(command)) / "man"
    for page in ("man1/aws-iot.1", "man1/aws-iot-pub.1", "man7/aws-iot-exit-codes.7"):
        assert (manuals / page).is_file(), page

    installed = versions_beside(Path(command))
    assert installed["aws-iot-cli"] == __version__
    for name, _, version in (one.partition("==") for one in wanted):
        assert Version(installed[name]) == Version(version), name

    env = environment(tmp_path / "config")
    for line in LINES:
        assert run(line, env, command=[command]).stdout.startswith("Usage: aws-iot"), line
    tab = {"_AWS_IOT_COMPLETE": "bash", "_AWS_IOT_LINE": "aws-iot completion b"}
    assert run("", env | tab, command=[command]).stdout == "names\nbash\n"
    assert "_AWS_IOT_COMPLETE" in run("completion bash", env, command=[command]).stdout
    let_two_people_talk([command], env)


def share(command: Path) -> Path:
    """Where the environment of a command has its data."""
    return command.resolve().parent.parent / "share"


def versions_beside(command: Path) -> dict[str, str]:
    """The packages in the environment of an installed command."""
    python = command.resolve().parent / PYTHON.name
    lines = call(python, "-c", LIST_INSTALLED).splitlines()
    return {line.split()[0].lower().replace("_", "-"): line.split()[1] for line in lines}


def let_two_people_talk(command: list[str], env: dict[str, str]) -> None:
    """Play the first story of the README."""
    started: list[Running] = []
    try:
        started.append(Running("local --member alice --member bob", env, command=command))
        started[-1].wait_for("reset code for passwords")
        started.append(Running("sub -k alice -r lobby --format '{who}: {text}' -C 1", env, command=command))
        started[-1].wait_for("Receiving")
        run("pub -k bob -r lobby -m hello", env, command=command)
        assert started[-1].wait() == 0, started[-1].report()
        assert re.fullmatch("bob~[0-9a-f]{8}: hello", started[-1].stdout[-1])
    finally:
        for process in reversed(started):
            process.kill()
