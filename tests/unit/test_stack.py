"""How a stack is told of: what is waited for, what would change, and the lines that are to be typed next."""

import io
from contextlib import redirect_stderr
from datetime import UTC, datetime

import pytest

from aws_iot.aws.admin.cloudformation import Change, StackEvent, Watcher
from aws_iot.cli.commands.backend.stack import Where, differences, in_words, watched
from aws_iot.cli.ui.progress import CLEAR
from aws_iot.errors import Busy

WHERE = Where("chat", None, None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Screen(io.StringIO):
    """Somebody's terminal."""

    def isatty(self) -> bool:
        return True


def work(watcher: Watcher) -> str:
    """One resource is made, one is begun, and a look or two sees nothing."""
    watcher.accepted()
    for resource, status in (
        ("IdentityPool", "CREATE_IN_PROGRESS"),
        ("UserPool", "CREATE_IN_PROGRESS"),
        ("UserPool", "CREATE_COMPLETE"),
    ):
        watcher.happened(StackEvent(NOW, resource, "AWS::Cognito::X", status))
    watcher.waits(None)
    for _ in range(2):
        watcher.waits(Busy("AWS takes no more"))
    return "done"


def test_a_terminal_shows_what_is_waited_for_and_keeps_only_the_events() -> None:
    with redirect_stderr(Screen()) as screen:
        assert watched(WHERE, work) == "done"
    shown = screen.getvalue()
    assert f"{CLEAR}0:00  waiting for IdentityPool …" in shown
    assert shown.endswith((CLEAR, "no more.\n"))
    kept = [line.rpartition(CLEAR)[2] for line in shown.split("\n")]
    assert [line.split()[1] for line in kept[:3]] == ["CREATE_IN_PROGRESS"] * 2 + ["CREATE_COMPLETE"]
    assert shown.count("Looking again: AWS takes no more.") == 1


def test_elsewhere_there_are_plain_lines() -> None:
    with redirect_stderr(io.StringIO()) as stderr:
        watched(WHERE, work)
    assert len(stderr.getvalue().splitlines()) == 4
    assert "waiting" not in stderr.getvalue()
    assert "\x1b" not in stderr.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("Add", "A", "T", None), "Add A (T)"),
        (Change("Modify", "A", "T", "False", ["X", "Y"]), "Modify A (T): X, Y"),
        (Change("Modify", "A", "T", "True", ["X"], ["X"]), "Modify A (T): X  [REPLACED]"),
        (
            Change("Modify", "A", "AWS::Cognito::IdentityPool", "Conditional", ["X"], ["X (from B)"]),
            "Modify A (AWS::Cognito::IdentityPool): X  [perhaps replaced, by X (from B);"
            " then all identities are lost: everybody has to be accepted anew]",
        ),
        (
            Change("Modify", "A", "T", "Conditional", ["X"]),
            "Modify A (T): X  [perhaps replaced, by what CloudFormation does not tell]",
        ),
        (
            Change("Remove", "A", "AWS::Cognito::UserPool", None),
            "Remove A (AWS::Cognito::UserPool); then all accounts are lost",
        ),
    ],
)
def test_a_change_says_what_a_replacement_depends_on_and_what_it_would_lose(
    change: Change, said: str
) -> None:
    assert in_words(change) == said


def test_only_parameters_that_change_are_shown() -> None:
    now = {"Room1": "*", "Room2": "ops", "Mfa": "ON"}
    wanted = {"Room1": "ops", "Room2": "", "Mfa": "ON", "Fresh": "1"}
    assert differences(now, wanted) == ["Room1: * → ops", "Room2: ops → empty", "Fresh: none → 1"]


def test_lines_can_be_typed_as_they_are() -> None:
    where = Where("ops", "eu-west-1", "at work")
    assert where.line("status") == (
        "aws-iot backend status --name ops --region eu-west-1 --aws-profile 'at work'"
    )
    assert where.aws_line("rollback-stack") == (
        "aws cloudformation rollback-stack --stack-name ops --region eu-west-1 --profile 'at work'"
    )
