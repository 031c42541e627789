"""Check that this state can be released: `make release-check`. Prints a line for each check; exits with 1 if one fails.

With `TAG=v1.2.3`, the version must be that of the tag, and the changelog must have a section for it.
"""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
SOURCE = REPOSITORY / "src"
PERMITTED = (
    "0BSD;Apache;BSD;ISC;MIT;Python Software Foundation;PSF;Unlicense;"
    # For unchanged libraries only: it asks that their own source stays open.
    "Mozilla Public License 2.0;MPL-2.0"
)
"""Parts of the names of licences under which a dependency may be."""

NAME = "aws_iot_cli"
CHARACTERS_SHOWN = 2000


class Failed(Exception):
    """A check failed; the message says why."""


def version_of(source: str) -> str:
    """The value of `__version__`. Raises `Failed` if it is no version of a release."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            found = str(ast.literal_eval(node.value))
            if re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", found):
                return found
            raise Failed(f"{found} is no version of a release")
    raise Failed("src/aws_iot/__init__.py sets no __version__")


def check_tag(version: str, tag: str) -> None:
    """Raise `Failed` if a tag is given that is not this version's."""
    if tag and tag != f"v{version}":
        raise Failed(f"the tag is {tag}, and __version__ is {version}")


def check_changelog(text: str, version: str, tag: str) -> None:
    """Raise `Failed` if there is nothing about this version; without a tag, about what is unreleased."""
    titles = [version] if tag else [version, "Unreleased"]
    sections = re.findall(r"^## (\S+).*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not any(title in titles and re.search(r"^- ", body, re.MULTILINE) for title, body in sections):
        raise Failed(f"CHANGELOG.md has no section '## {titles[0]}' with changes")


def check_source(urls: dict[str, str], tag: str, repository: str) -> None:
    """Raise `Failed` if a release does not tell its users where its source is.

    `repository` is the address of the one that publishes it, if that is known.
    """
    if tag and "Source" not in urls:
        raise Failed("pyproject.toml has no Source in [project.urls]: name the public repository")
    if tag and repository and urls["Source"] != repository:
        raise Failed(f"Source in pyproject.toml is {urls['Source']}, and the release is made by {repository}")


def check_contents(wheel: set[str], sdist: set[str], version: str) -> None:
    """Raise `Failed` if a file is missing in a package, or is there by mistake."""
    data, info = f"{NAME}-{version}.data/data", f"{NAME}-{version}.dist-info"
    wanted = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*") if _is_source(path)}
    wanted |= {
        f"{data}/share/man/{page.parent.name}/{page.name}" for page in (REPOSITORY / "man").glob("*/*")
    }
    wanted |= {
        f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }
    if wheel != wanted:
        raise Failed(f"the wheel lacks {sorted(wanted - wheel)} and should not have {sorted(wheel - wanted)}")
    for name in (
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "tests/conftest.py",
        "man/man1/aws-iot.1",
    ):
        if f"{NAME}-{version}/{name}" not in sdist:
            raise Failed(f"the sdist lacks {name}")


def check_readme(metadata: str) -> None:
    """Raise `Failed` if the description has links that only work in the repository."""
    if relative := re.findall(r"\]\((?!https?:|#|mailto:)([^)]+)\)", metadata):
        raise Failed(f"on the index, these links of the README lead nowhere: {relative}")


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if done.returncode:
        raise Failed(f"{Path(command[0]).name}: {(done.stdout + done.stderr).strip()[-CHARACTERS_SHOWN:]}")


def checks(tag: str, tools: Path, dist: Path, users: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each check by name. `dist` has the packages, and `users` is the Python of an environment as users have it."""
    version = version_of((SOURCE / "aws_iot" / "__init__.py").read_text(encoding="utf-8"))
    wheel, sdist = dist / f"{NAME}-{version}-py3-none-any.whl", dist / f"{NAME}-{version}.tar.gz"
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    github = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}"
    publisher = github.format_map(os.environ) if "GITHUB_REPOSITORY" in os.environ else ""

    def contents() -> None:
        with zipfile.ZipFile(wheel) as one, tarfile.open(sdist) as other:
            check_contents(set(one.namelist()), set(other.getnames()), version)

    def readme() -> None:
        _run(tools / "twine", "check", "--strict", wheel, sdist)
        with zipfile.ZipFile(wheel) as one:
            check_readme(one.read(f"{NAME}-{version}.dist-info/METADATA").decode())

    def licences() -> None:
        _run(tools / "pip-licenses", "--python", users, "--partial-match", f"--allow-only={PERMITTED}")

    yield f"version {version}", lambda: check_tag(version, tag)
    yield "changelog", lambda: check_changelog(changelog, version, tag)
    yield "address of the source", lambda: check_source(project.get("urls", {}), tag, publisher)
    yield "generated docs", lambda: _run(sys.executable, REPOSITORY / "docs" / "generate.py", "--check")
    yield "contents of the packages", contents
    yield "README on the index", readme
    yield "licences of dependencies", licences


def main(tools: Path, dist: Path, users: Path) -> int:
    """Run all checks; the exit code."""
    failures = 0
    try:
        for name, check in checks(os.environ.get("TAG", ""), tools, dist, users):
            try:
                check()
                print(f"ok      {name}")
            except (Failed, OSError) as error:
                failures += 1
                print(f"FAILED  {name}: {error}")
    except Failed as error:
        print(f"FAILED  version: {error}")
        return 1
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
