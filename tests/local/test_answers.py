"""Questions before something is lost: only a yes loses it, and a no exits with 1."""

import json
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.config.exports import to_exports
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool.store import Spool
from tests import terminal
from tests.fakes import FakeCloud
from tests.processes import COMMAND, environment
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import DEADLINE_SECONDS

pytestmark = terminal.NEEDED

ANSWERS = pytest.mark.parametrize(("answer", "is_yes"), [("n", False), ("", False), ("y", True)])


@pytest.fixture
def app(tmp_path: Path) -> App:
    """The settings of a person with one profile, `team`."""
    app = App.in_folder(tmp_path / "config")
    app.config.profiles.change("team", lambda _: FakeCloud().profile)
    return app


def answered(app: App, line: list[str], question: str, answer: str, *, ends: int) -> str:
    """What the command prints after the answer to its question."""
    # Variables that confirm other commands do not confirm this one.
    env = environment(app.settings.folders.config, AWS_IOT_YES="1", AWS_IOT_BACKEND_YES="1")
    with on_a_terminal([*COMMAND, *line], env) as process:
        read_until(process, f"{question} [y/N]: ".encode())
        type_in(process, answer.encode() + b"\r")
        shown = read_rest(process).decode()
        assert process.wait(DEADLINE_SECONDS) == ends
    return shown


@ANSWERS
def test_a_profile_is_removed_only_after_a_yes(app: App, answer: str, is_yes: bool) -> None:
    question = "Remove the profile 'team', with its saved password and session?"
    shown = answered(app, ["config", "remove", "team"], question, answer, ends=0 if is_yes else 1)
    assert ("Removed the profile 'team'." if is_yes else "Nothing was removed.") in shown
    assert app.config.profiles.keys() == ([] if is_yes else ["team"])


@ANSWERS
def test_a_spool_is_cleared_only_after_a_yes(app: App, tmp_path: Path, answer: str, is_yes: bool) -> None:
    folder = tmp_path / "outbox"
    with Spool(folder, "pool", "alice") as spool:
        spool.add(Outgoing("lobby", b"hello", "one-1"))
        question = f"Delete 1 unsent message in {folder}?"
        shown = answered(app, ["spool", "clear", str(folder)], question, answer, ends=0 if is_yes else 1)
        assert ("Deleted 1 message." if is_yes else "Nothing was deleted.") in shown
        assert spool.count() == (0 if is_yes else 1)


@ANSWERS
def test_a_profile_is_replaced_only_after_a_yes(app: App, tmp_path: Path, answer: str, is_yes: bool) -> None:
    other = app.config.profiles.load("team")._replace(user_pool_id="us-east-1_OTHER")
    exports = tmp_path / "other.json"
    exports.write_text(json.dumps(to_exports(other)), encoding="utf-8")
    line = ["config", "-s", str(exports), "-k", "team"]
    shown = answered(app, line, "Replace it?", answer, ends=0 if is_yes else 1)
    assert ("Saved the profile 'team'." if is_yes else "Nothing was changed.") in shown
    pool = app.config.profiles.load("team").user_pool_id
    assert pool == ("us-east-1_OTHER" if is_yes else "us-east-1_FAKE")
