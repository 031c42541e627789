"""What a shell reads."""

import subprocess
import sys

import pytest

from aws_iot.cli.ui.shell import setting


@pytest.mark.skipif(sys.platform == "win32", reason="there is no POSIX shell")
def test_a_posix_shell_gets_the_value_as_it_is() -> None:
    posix_value = "/a b/$HOME/'x'"
    line = f'{setting("VALUE", posix_value, posix=True)}; printf %s "$VALUE"'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout == posix_value


def test_cmd_gets_a_quoted_assignment_whose_value_has_no_quotes() -> None:
    assert setting("FOLDER", r"C:\Users\Jo Doe", posix=False) == r'set "FOLDER=C:\Users\Jo Doe"'
