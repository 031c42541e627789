"""`aws-iot doctor`: what it prints, and its exit codes."""

import json

import pytest

from aws_iot.cli.commands.doctor.findings_output import as_lines
from aws_iot.doctor.diagnosis import Finding
from aws_iot.doctor.probes import CheckResult
from aws_iot.errors import Unreachable, WrongClock
from aws_iot.messaging.connection import Lost, Publication
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeConnection

DOCTOR = "doctor -u alice -p Passw0rd"


@pytest.fixture
def identity(cloud: FakeCloud) -> str:
    """The identity of alice, a member."""
    return cloud.member("alice", "Passw0rd")


def test_each_step_has_a_line_and_the_result_a_sentence(
    aws_iot: CommandLine, identity: str, cloud: FakeCloud
) -> None:
    done = aws_iot(DOCTOR)
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == ["ok"] * 14
    assert "Everything works" in done.stderr
    assert [topic for topic, _, _ in cloud.published] == [f"{POOL}/doctor/{identity}"]
    assert [connection.closed for connection in cloud.connections] == [True]


def test_it_stops_at_the_first_failure_with_advice(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    app.controls.probes.results["clock"] = WrongClock("the clock is slow", hint="Set it.\nThen try again.")
    done = aws_iot(DOCTOR, ends=6)
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("clock"))
    assert "FAILED" in lines[at]
    assert lines[at].endswith("the clock is slow")
    advice = ["Checked: whether the clock is right.", "Set it.", "Then try again."]
    assert [line.strip() for line in lines[at + 1 : at + 4]] == advice
    assert lines[at + 4].split() == ["user-pool", "-"]
    assert all(line.split()[1] == "-" for line in lines[at + 4 :])
    assert "Failed at 'clock' (exit code 6)." in done.stderr


def test_json_has_one_object_per_step(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    app.controls.probes.results |= {
        "certificates": CheckResult("trusted", "It ends soon."),
        "clock": Unreachable("no answer"),
    }
    found = {
        each["step"]: each
        for each in map(json.loads, aws_iot(f"{DOCTOR} --json", ends=6).stdout.splitlines())
    }
    assert {name: found["tls"][name] for name in ("result", "seen", "advice", "exit_code")} == {
        "result": "ok",
        "seen": "trusted",
        "advice": "It ends soon.",
        "exit_code": None,
    }
    assert (found["clock"]["result"], found["clock"]["seen"], found["clock"]["exit_code"]) == (
        "failed",
        "no answer",
        6,
    )
    assert {found[step]["result"] for step in ("user-pool", "echo")} == {"skipped"}


def test_secrets_in_the_answers_of_services_are_hidden(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    app.controls.probes.results["upgrade"] = Unreachable("it takes no ASIAFAKE", hint="Not with token.")
    printed = aws_iot(DOCTOR, ends=6).stdout
    assert "it takes no [secret]" in printed
    assert "Not with [secret]." in printed


def test_control_characters_are_made_visible(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    app.controls.probes.results["names"] = CheckResult("\x1b[2J", "\x07")
    printed = aws_iot(DOCTOR).stdout
    assert "\\x1b[2J" in printed
    assert "\\x07" in printed
    assert "\x07" not in printed


def test_a_lost_connection_is_not_a_refusal(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    app.controls.on_connect = lambda connection: connection.events.put(Lost("the network"))
    done = aws_iot(f"{DOCTOR} --timeout 1", ends=6)
    assert "the connection was lost before the message came back: the network" in done.stdout


def test_only_its_own_message_counts_as_the_echo(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    def interfere(connection: FakeConnection) -> None:
        connection.events.put(Publication(f"{POOL}/doctor/{identity}", b'{"msg":"aws-iot doctor"}'))
        connection.is_deaf = True

    app.controls.on_connect = interfere
    done = aws_iot(f"{DOCTOR} --timeout 1", ends=5)
    assert "did not come back within 1 second\n" in done.stdout


def test_on_a_terminal_long_text_has_a_column_of_its_own() -> None:
    def lines(text: str) -> list[str]:
        return as_lines(Finding("publish", "it works", 0.006, CheckResult(text)), 60)

    start = "\r\x1b[Kpublish       ok           6 ms"
    assert lines("acknowledged") == [f"{start}  acknowledged"]
    assert lines("acknowledged by the broker of the team") == [
        start,
        " " * 14 + "acknowledged by the broker of the team",
    ]
    name = "us-east-1:62b8b200-34ff-462f-a465-cb9d2e20bf00/doctor/+"  # too long for the column: on a line of its own
    assert lines(f"to {name}, acknowledged") == [
        start,
        " " * 14 + "to",
        f"  {name},",
        " " * 14 + "acknowledged",
    ]


def test_it_does_not_prompt_without_a_terminal(aws_iot: CommandLine, identity: str) -> None:
    assert "not signed in" in aws_iot("doctor", ends=4).stdout
    assert "alice is not signed in" in aws_iot("doctor -u alice", ends=4).stdout


@pytest.mark.parametrize("command", ["pub -r lobby -m x", "pub -r lobby --lines", "sub", "login"])
def test_other_commands_suggest_doctor(aws_iot: CommandLine, app: FakeApp, command: str) -> None:
    app.controls.fails_with = Unreachable("cannot reach it", hint="Wait.")
    errors = aws_iot(f"{command} -u alice -p Passw0rd", ends=6).stderr.splitlines()
    assert errors[-2:] == ["Wait.", "To find out why: aws-iot doctor -k default"]
