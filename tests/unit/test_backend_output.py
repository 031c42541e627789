"""What `aws-iot backend` shows: events, what it waits for, changes, and the commands to type next."""

import io
from contextlib import redirect_stderr
from datetime import UTC, datetime

import pytest

from aws_iot.backend.deployment import Plan
from aws_iot.backend.hints import StackName
from aws_iot.backend.stack import Change, StackEvent, StackState, Watcher
from aws_iot.cli.commands.backend.changes import as_text
from aws_iot.cli.commands.backend.watching import watched
from aws_iot.cli.ui.progress import CLEAR
from aws_iot.errors import Busy

NAME = StackName("chat", None, None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def work(watcher: Watcher) -> str:
    """One resource is created, one is begun, and then the events cannot be read twice."""
    watcher.accepted()
    for resource, status in (
        ("IdentityPool", "CREATE_IN_PROGRESS"),
        ("UserPool", "CREATE_IN_PROGRESS"),
        ("UserPool", "CREATE_COMPLETE"),
    ):
        watcher.happened(StackEvent(NOW, resource, "AWS::Cognito::X", status))
    watcher.waiting(None)
    for _ in range(2):
        watcher.waiting(Busy("AWS takes no more"))
    return "done"


def test_a_terminal_shows_what_it_waits_for_and_keeps_only_the_events() -> None:
    with redirect_stderr(Screen()) as screen:
        assert watched(NAME, work) == "done"
    shown = screen.getvalue()
    assert f"{CLEAR}0:00  waiting for IdentityPool …" in shown
    assert shown.endswith((CLEAR, "no more.\n"))
    kept = [line.rpartition(CLEAR)[2] for line in shown.split("\n")]
    assert [line.split()[1] for line in kept[:3]] == ["CREATE_IN_PROGRESS"] * 2 + ["CREATE_COMPLETE"]
    assert shown.count("Checking again: AWS takes no more.") == 1


def test_without_a_terminal_there_are_only_plain_lines() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        watched(NAME, work)
    assert len(stderr.getvalue().splitlines()) == 4
    assert "waiting" not in stderr.getvalue()
    assert "\x1b" not in stderr.getvalue()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("Add", "A", "T", None), "Add A (T)"),
        (Change("Modify", "A", "T", "False", ["X", "Y"]), "Modify A (T): X, Y"),
        (Change("Modify", "A", "T", "True", ["X"], ["X"]), "Modify A (T): X  [REPLACED]"),
        (
            Change("Modify", "A", "AWS::Cognito::IdentityPool", "Conditional", ["X"], ["X (from B)"]),
            "Modify A (AWS::Cognito::IdentityPool): X  [may be REPLACED, because of X (from B);"
            " all identities are lost: every member must be accepted again]",
        ),
        (
            Change("Modify", "A", "T", "Conditional", ["X"]),
            "Modify A (T): X  [may be REPLACED, because of a cause that CloudFormation does not name]",
        ),
        (
            Change("Remove", "A", "AWS::Cognito::UserPool", None),
            "Remove A (AWS::Cognito::UserPool); all accounts are lost",
        ),
    ],
)
def test_a_change_says_why_a_resource_is_replaced_and_what_is_lost(change: Change, text: str) -> None:
    assert as_text(change) == text


def test_only_parameters_that_change_are_shown() -> None:
    now = {"Room1": "*", "Room2": "ops", "Mfa": "ON"}
    wanted = {"Room1": "ops", "Room2": "", "Mfa": "ON", "Fresh": "1"}
    state = StackState("id", "CREATE_COMPLETE", None, NOW, "", {}, now)
    assert Plan(wanted, state).differences() == ["Room1: * → ops", "Room2: ops → empty", "Fresh: none → 1"]


def test_suggested_commands_are_quoted_for_a_shell() -> None:
    name = StackName("ops", "eu-west-1", "at work")
    assert name.command("status") == (
        "aws-iot backend status --name ops --region eu-west-1 --aws-profile 'at work'"
    )
    assert name.aws_command("rollback-stack") == (
        "aws cloudformation rollback-stack --stack-name ops --region eu-west-1 --profile 'at work'"
    )
