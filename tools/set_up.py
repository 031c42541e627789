"""Install packages into a virtual environment: `python3 tools/set_up.py FOLDER WHAT PIP-ARGUMENTS… [-- MORE…]`.

pip runs again with what follows `--`: if it checks hashes, it installs nothing that has none, such as this project.
`WHAT` tells the reader what is downloaded, how much it is, and how long that takes. pip itself would print some
400 lines. They are shown only if it fails.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

SECONDS_BETWEEN_LINES = 5
"""How long it is quiet at most while pip collects packages: long enough to be read, short enough to be seen."""


def main(folder: Path, what: str, arguments: list[str]) -> int:
    """Make the environment if there is none, and install. Returns the exit code of pip."""
    is_ready = (folder / "ready").exists()  # `make` writes it after the first time
    print(f"Updating {folder} ..." if is_ready else f"Setting up {folder}: {what} ...", flush=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for one in _split(arguments):
        if code := install(python, one):
            return code
    return 0


def install(python: Path, arguments: list[str]) -> int:
    """Run pip. Returns its exit code."""
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    printed: list[str] = []
    with subprocess.Popen(
        [*pip, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for news in progress(_kept(process.stdout or [], printed)):
            print(f"  {news} ...", flush=True)
    if process.returncode:
        print("".join(printed), file=sys.stderr)
    return process.returncode


def _split(arguments: list[str]) -> list[list[str]]:
    if "--" not in arguments:
        return [arguments]
    at = arguments.index("--")
    return [arguments[:at], *_split(arguments[at + 1 :])]


def progress(lines: Iterable[str]) -> Iterator[str]:
    """What pip is doing, from the lines that it prints."""
    collected, told_at = 0, time.monotonic()
    for line in lines:
        if package := re.match(r"Collecting ([\w.-]+)", line):
            collected += 1
            if time.monotonic() - told_at >= SECONDS_BETWEEN_LINES:
                told_at = time.monotonic()
                yield f"package {collected}: {package[1]}"
        elif packages := re.match(r"Installing collected packages: (.*, .*)", line):
            yield f"installing {len(packages[1].split(', '))} packages"


def _kept(lines: Iterable[str], printed: list[str]) -> Iterator[str]:
    for line in lines:
        printed.append(line)
        yield line


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
    except KeyboardInterrupt:
        sys.exit(130)
