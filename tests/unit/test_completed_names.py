"""The names that a shell is offered. Other people choose them, and bash puts them into the line as they are."""

import shutil
import subprocess

import pytest

from aws_iot.cli.completion.names import plain
from tests.waiting import DEADLINE_SECONDS

ASCII = [chr(code) for code in range(0x21, 0x7F)]


@pytest.mark.parametrize(
    "name", ["lobby", "ops/night", "ops/#", "+/day", "a:b", "bob~4f9fa251", "größe", "हिन्दी", "👍"]
)
def test_ordinary_names_are_offered(name: str) -> None:
    assert plain([name]) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "ops;reboot",
        "$(reboot)",
        "`reboot`",
        "a&b",
        "a|b",
        "a>b",
        "it's",
        "\u2018",
        "a\u2014b",
        "two words",
        "a\u00a0b",
        "bell\a",
    ],
)
def test_a_name_that_a_shell_would_read_otherwise_is_not_offered(name: str) -> None:
    assert plain([name]) == []


@pytest.mark.parametrize("name", ["--no-history", "~root", "#", "@x"])
def test_a_name_that_begins_like_something_else_is_not_offered(name: str) -> None:
    assert plain([name]) == []


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_every_name_that_is_offered_means_itself_to_the_shell(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    offered = plain([name for char in ASCII for name in (char, f"{char}x", f"x{char}x", f"x{char}")])
    assert "x" in offered
    line = " ".join(["printf '%s\\n'", *offered])
    done = subprocess.run(
        [shell, "-c", line], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    )
    assert done.stdout.splitlines() == offered
