"""What the files of a local stack tell about it: whether it runs, and which accounts it has."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.local_stack import announced, check_stack, is_running, require_replaceable
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError, ProfileError, StackNotRunning
from tests.fakes import FakeCloud

START = "aws-iot local --member alice"


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """The profile of a person on a local stack."""
    here = Endpoint.parse("wss://127.0.0.1:8443/mqtt")
    return FakeCloud().profile._replace(key="alice", endpoint=here, local_stack=str(tmp_path / "local"))


def test_a_running_stack_serves_its_profiles(profile: Profile, tmp_path: Path) -> None:
    with announced(tmp_path / "local", profile, START):
        check_stack(profile)


def test_a_profile_of_aws_needs_no_stack(profile: Profile) -> None:
    check_stack(profile._replace(local_stack=None))


def test_a_stack_without_files_is_unknown(profile: Profile, tmp_path: Path) -> None:
    check_stack(profile)
    assert not (tmp_path / "local").exists()


@pytest.mark.parametrize("note", ["", "{", "[]", "{}", "null"])
def test_a_damaged_note_counts_as_missing(profile: Profile, tmp_path: Path, note: str) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "stack.json").write_text(note, encoding="utf-8")
    check_stack(profile)


def test_a_stack_that_has_ended_is_named_with_the_command_that_starts_it(
    profile: Profile, tmp_path: Path
) -> None:
    with announced(tmp_path / "local", profile, START):
        pass
    with pytest.raises(StackNotRunning, match="the local stack 'local' is not running") as caught:
        check_stack(profile)
    assert caught.value.hint == f"Start it: {START}"


def test_a_restarted_stack_with_other_accounts_is_named(profile: Profile, tmp_path: Path) -> None:
    with (
        announced(tmp_path / "local", profile._replace(user_pool_id="us-east-1_NEW"), "aws-iot local"),
        pytest.raises(ProfileError, match="was restarted") as caught,
    ):
        check_stack(profile)
    assert "aws-iot local --member alice" in (caught.value.hint or "")


def test_a_profile_may_be_new(tmp_path: Path) -> None:
    require_replaceable(None, str(tmp_path))


def test_a_profile_of_aws_is_never_replaced(profile: Profile, tmp_path: Path) -> None:
    endpoint = Endpoint.parse("wss://a-ats.iot.us-east-1.amazonaws.com/mqtt")
    team = profile._replace(endpoint=endpoint, local_stack=None)
    with pytest.raises(LocalError, match="'alice' exists, and is not of a local stack"):
        require_replaceable(team, str(tmp_path))


def test_a_profile_of_another_broker_on_this_machine_is_never_replaced(
    profile: Profile, tmp_path: Path
) -> None:
    tunnel = profile._replace(local_stack=None)
    with pytest.raises(LocalError, match=r"'alice' exists, and is not of a local stack \(127.0.0.1\)"):
        require_replaceable(tunnel, str(tmp_path))


def test_a_profile_of_another_stack_is_replaced_only_when_that_has_ended(
    profile: Profile, tmp_path: Path
) -> None:
    with (
        announced(tmp_path / "local", profile, START),
        pytest.raises(LocalError, match="another local stack"),
    ):
        require_replaceable(profile, str(tmp_path / "other"))
    require_replaceable(profile, str(tmp_path / "other"))


def test_a_stack_replaces_its_own_profiles(profile: Profile, tmp_path: Path) -> None:
    with announced(tmp_path / "local", profile, START):
        require_replaceable(profile, str(tmp_path / "local"))


def test_asking_does_not_keep_a_stack_from_running(profile: Profile, tmp_path: Path) -> None:
    with announced(tmp_path / "local", profile, START):
        assert is_running(str(tmp_path / "local"))
    assert not is_running(str(tmp_path / "local"))
    with announced(tmp_path / "local", profile, START):
        assert is_running(str(tmp_path / "local"))


def test_a_second_stack_in_the_same_folder_is_an_error(profile: Profile, tmp_path: Path) -> None:
    folder = tmp_path / "local"
    with (
        announced(folder, profile, START),
        pytest.raises(LocalError, match="another local stack uses this folder"),
        announced(folder, profile, START, seconds=0),
    ):
        pass


def test_programs_that_ask_at_once_do_not_take_each_other_for_the_stack(
    profile: Profile, tmp_path: Path
) -> None:
    folder = tmp_path / "local"
    with announced(folder, profile, START):
        pass
    with ThreadPoolExecutor(4) as asking:
        answers = [*asking.map(is_running, [str(folder)] * 1000)]
    assert answers.count(True) == 0
