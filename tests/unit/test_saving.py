"""Which commands save messages."""

from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.cli.saving import new_recorder
from tests.histories import ALICE
from tests.unit.test_profile import LOCAL


@pytest.mark.parametrize(
    ("by_option", "by_profile", "saves"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_messages_are_saved_unless_the_option_or_the_profile_says_no(
    tmp_path: Path, by_option: bool, by_profile: bool, saves: bool
) -> None:
    app, profile = App.in_folder(tmp_path), LOCAL._replace(key="home", history=not by_profile)
    recorder = new_recorder(app, profile, ALICE, "alice", no_history=by_option)
    assert (recorder is not None) == saves
    assert (tmp_path / "history").exists() == saves
