"""Colors: on terminals only, unless the environment says otherwise; never in data for programs."""

import json
import re
from pathlib import Path

import pytest

from aws_iot.cli.ui.colors import is_on
from aws_iot.cli.ui.formatting import colored_message_line, message_line, sender_style
from aws_iot.doctor.probes import CheckResult
from aws_iot.errors import Unreachable
from aws_iot.messaging.connection import Lost, Publication, Restored
from tests import terminal
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, arrive
from tests.processes import COMMAND, environment
from tests.terminal import on_a_terminal, read_rest
from tests.unit.test_output import HOSTILE, IDENTITY, is_harmless, message

CODES = re.compile(r"\x1b\[[0-9;]*m")
FORCED = {"CLICOLOR_FORCE": "1"}


class Screen:
    """A stream that is a terminal, or none."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("env", "on_terminal", "in_pipe"),
    [
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "CLICOLOR": "0"}, False, False),
        ({"TERM": "xterm", "CLICOLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "CLICOLOR_FORCE": "1"}, True, True),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1"}, True, True),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "0"}, True, False),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, True, True),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_the_environment_decides(env: dict[str, str], on_terminal: bool, in_pipe: bool) -> None:
    assert is_on(Screen(is_terminal=True), env) is on_terminal  # type: ignore[arg-type]
    assert is_on(Screen(is_terminal=False), env) is in_pipe  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("env", "has_colors"), [({}, False), ({"WT_SESSION": "1"}, True), ({"CLICOLOR_FORCE": "1"}, True)]
)
def test_the_old_console_of_windows_gets_no_colors_unless_they_are_forced(
    env: dict[str, str], has_colors: bool
) -> None:
    assert is_on(Screen(is_terminal=True), env, platform="win32") is has_colors  # type: ignore[arg-type]
    assert is_on(Screen(is_terminal=True), env, platform="linux")  # type: ignore[arg-type]


def test_the_color_of_a_sender_depends_on_the_identity_only() -> None:
    other = "us-east-1:4f9fa252-0000-0000-0000-000000000001"
    assert sender_style(IDENTITY) != sender_style(other)
    line = colored_message_line(message(name="mallory"))
    assert f"\x1b[{sender_style(IDENTITY)}mmallory~4f9fa251\x1b[0m" in line


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_a_colored_message_is_the_same_line_and_controls_nothing(hostile: str) -> None:
    of = message(room=hostile, sender=hostile, name=hostile, text=hostile)
    line = colored_message_line(of)
    assert CODES.sub("", line) == message_line(of)
    assert is_harmless(CODES.sub("", line))
    assert len(CODES.findall(line)) == 4


def test_messages_and_states_have_colors_if_forced_but_never_data_for_programs(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    cloud.member("alice", "Passw0rd")

    payload = json.dumps({"msg": "\x1b[2Jhello"}).encode()
    hello = Publication(f"{POOL}/lobby/{IDENTITY}", payload)
    arrive(app, hello, Lost("the network"), Restored(3))
    line = "sub -u alice -p Passw0rd"
    done = aws_iot(line, ends=130, env=FORCED)
    assert f"\x1b[{sender_style(IDENTITY)}m~4f9fa251\x1b[0m: \\x1b[2Jhello" in done.stdout
    assert "\x1b[33mconnection lost\x1b[0m: the network" in done.stderr
    assert "\x1b[32mconnection restored after 3.0 s\x1b[0m" in done.stderr
    for more in ("--json", "--format '{name} {text}'"):
        assert "\x1b" not in aws_iot(f"{line} {more}", ends=130, env=FORCED).stdout
    assert "\x1b" not in aws_iot(line, ends=130).output


def test_errors_and_hints_are_colored_if_forced(aws_iot: CommandLine) -> None:
    assert aws_iot("sub -k nobody", ends=3, env=FORCED).stderr.startswith(
        "\x1b[1;31mError:\x1b[0m there is no"
    )
    assert "\x1b[36mDid you mean: aws-iot sub\x1b[0m" in aws_iot("subscribe", ends=2, env=FORCED).stderr
    assert "\x1b" not in aws_iot("subscribe", ends=2, env=FORCED | {"NO_COLOR": "1"}).stderr
    assert "\x1b" not in aws_iot("subscribe", ends=2).stderr


def test_headings_of_help_are_bold_if_forced(aws_iot: CommandLine) -> None:
    for line in ("sub --help", "help rooms", "sub help", "help"):
        shown = aws_iot(line, env=FORCED).stdout
        assert "\x1b[1m" in shown
        assert CODES.sub("", shown) == aws_iot(line).stdout


def test_states_in_the_output_of_doctor_are_colored_if_forced(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    cloud.member("alice", "Passw0rd")
    app.controls.probes.results["names"] = CheckResult("\x1b[2J", "")
    app.controls.probes.results["clock"] = Unreachable("no answer", hint="Wait.")
    line = "doctor -u alice -p Passw0rd"
    shown = aws_iot(line, ends=6, env=FORCED).stdout
    assert "\x1b[32mok\x1b[0m" in shown
    assert "\x1b[1;31mFAILED\x1b[0m" in shown
    assert "\x1b[36m" in shown
    assert "\\x1b[2J" in shown
    assert "\x1b" not in aws_iot(f"{line} --json", ends=6, env=FORCED).stdout
    assert "\x1b" not in aws_iot(line, ends=6).stdout


@terminal.NEEDED
@pytest.mark.parametrize(
    ("more", "has_colors"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_a_real_terminal_gets_colors(tmp_path: Path, more: dict[str, str], has_colors: bool) -> None:
    kept = {
        k: v for k, v in environment(tmp_path).items() if k not in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE")
    }
    with on_a_terminal([*COMMAND, "subscribe"], kept | more) as process:
        assert (b"\x1b[" in read_rest(process)) is has_colors
