"""The drafts of several chats of one person: none is lost or in two chats, whichever chat ends at which moment."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.chat.model.posts import Answered
from aws_iot.chat.model.state import Aim, Draft
from aws_iot.chat.parts.drafts import joined
from aws_iot.chat.parts.memory import Memory
from aws_iot.errors import LocalError
from aws_iot.files import exclusive
from tests.waiting import DEADLINE_SECONDS

ANSWER = Aim(None, Answered("ref", "us-east-1:b0b", "bob", "hello"))
CHANGE = Aim("edit", Answered("mine", "us-east-1:a11ce", None, "\ud83d"), "kept")


def begun(path: Path, text: str = "", room: str = "lobby", aim: Aim | None = None) -> Memory:
    """A chat with a draft, which is saved."""
    memory = Memory(path)
    memory.load()
    memory.note_draft(room, Draft(text, aim))
    memory.save()
    return memory


def test_each_running_chat_has_drafts_of_its_own_and_the_next_one_gets_those_that_ended_chats_left(
    tmp_path: Path,
) -> None:
    path = tmp_path / "me.json"
    one, other = begun(path, "one"), begun(path, "other")
    other.note_draft("lobby", Draft())
    other.save()
    third = Memory(path)
    assert third.load().drafts == {}, "their chats are running"
    one.close()
    fourth, fifth = Memory(path), Memory(path)
    assert [fourth.load().drafts, fifth.load().drafts] == [{"lobby": Draft("one")}, {}]
    for memory in (other, third, fourth, fifth):
        memory.note_rooms(("lobby",), "lobby")
        memory.save()
        memory.close()
    assert Memory(path).load().drafts == {"lobby": Draft("one")}


def test_the_plain_chat_which_cannot_show_drafts_leaves_them_to_others(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    begun(path, "one").close()
    plain = Memory(path)
    assert plain.load(with_drafts=False).drafts == {}
    plain.note_draft("lobby", Draft())
    plain.save()
    assert Memory(path).load().drafts == {"lobby": Draft("one")}


def test_chats_that_end_leave_neither_locks_nor_drafts_that_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    for _ in range(3):
        memory = begun(path, "hello")
        memory.note_draft("lobby", Draft())
        memory.save()
        memory.close()
    memory = Memory(path)
    memory.load()
    memory.note_rooms(("lobby",), "lobby")
    memory.save()
    memory.close()
    assert json.loads(path.read_text()) == {"rooms": ["lobby"]}
    if os.name == "posix":
        assert sorted(one.name for one in tmp_path.iterdir()) == [".lock", "me.json"]
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_older_versions_have_saved_is_taken_over_once(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    aims = {"ops": {"kind": None, "id": "ref", "sender": "s", "name": None, "text": None, "kept": ""}}
    path.write_text(json.dumps({"drafts": {"lobby": "half a", "ops": "yes"}, "aims": aims, "nick": "al"}))
    one, other = Memory(path), Memory(path)
    found = one.load()
    assert found.drafts == {
        "lobby": Draft("half a"),
        "ops": Draft("yes", Aim(None, Answered("ref", "s", None, None))),
    }
    assert (found.nick, other.load().drafts) == ("al", {})
    one.note_draft("lobby", Draft())
    one.save()
    one.close()
    assert Memory(path).load().drafts == {"ops": found.drafts["ops"]}


@pytest.mark.parametrize("aim", [[1], "edit", None, {"kind": "edit"}, {"kind": "edit", "id": 3}])
def test_a_draft_whose_message_cannot_be_known_is_one_of_a_new_message(tmp_path: Path, aim: object) -> None:
    path = tmp_path / "me.json"
    path.write_text(json.dumps({"drafts": {"lobby": "half a"}, "aims": {"lobby": aim}}))
    assert Memory(path).load().drafts == {"lobby": Draft("half a")}


@pytest.mark.parametrize(
    "content",
    ["", "[", "[]", '{"chats": []}', '{"chats": {"../x": {}, "ab": 1}}', '{"drafts": 3, "aims": [1]}'],
)
def test_a_damaged_file_counts_as_empty_and_is_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "folder" / "me.json"
    path.parent.mkdir()
    path.write_text(content)
    memory = Memory(path)
    assert memory.load().drafts == {}
    memory.note_draft("lobby", Draft("hello"))
    memory.save()
    memory.close()
    assert Memory(path).load().drafts == {"lobby": Draft("hello")}
    assert [*tmp_path.iterdir()] == [path.parent]


def test_texts_of_one_room_are_below_one_another_and_what_one_of_them_answers_is_kept() -> None:
    assert joined([Draft("one", ANSWER)]) == Draft("one", ANSWER)
    assert joined([Draft("one"), Draft("//two"), Draft()]) == Draft("one\n/two")
    assert joined([Draft("one"), Draft("one")]) == Draft("one")
    assert joined([Draft("one"), Draft("two", ANSWER)]) == Draft("one\ntwo", ANSWER)
    assert joined([Draft("one"), Draft("two", CHANGE)]) == Draft("two", CHANGE_WITH_ONE), (
        "it replaces no message"
    )
    assert joined([Draft("one", ANSWER), Draft("two", CHANGE)]) == Draft("one\ntwo\nkept")


CHANGE_WITH_ONE = Aim("edit", CHANGE.about, "kept\none")


def test_nothing_is_written_without_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    memory = Memory(path, lock_seconds=0.0)
    memory.note_draft("lobby", Draft("hello"))
    with exclusive(tmp_path), pytest.raises(LocalError, match="locked"):
        memory.save()
    memory.save()
    memory.close()
    assert Memory(path).load().drafts == {"lobby": Draft("hello")}


STEPS = st.lists(
    st.tuples(st.sampled_from(["start", "type", "clear", "save", "kill", "quit"]), st.integers(0, 2)),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_in_any_order_each_line_that_was_saved_is_in_exactly_one_chat(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder, ExitStack() as running:
        path = Path(folder) / "me.json"
        chats: dict[int, Memory] = {}
        lines: dict[int, list[str]] = {}  # what each chat has in its input
        saved: dict[int, list[str]] = {}  # and what of that survives a crash
        left: list[str] = []  # by chats that have ended
        for number, (step, chat) in enumerate([*steps, *[("kill", chat) for chat in range(3)], ("start", 0)]):
            if step == "start" and chat not in chats:
                chats[chat] = Memory(path)
                running.callback(chats[chat].close)
                draft = chats[chat].load().drafts.get("lobby", Draft())
                lines[chat] = draft.text.splitlines()
                saved[chat] = [*lines[chat]]
                assert sorted(lines[chat]) == sorted(left)
                left = []
            elif step != "start" and chat in chats:
                if step in ("type", "clear"):
                    lines[chat] = [*lines[chat], f"line {number}"] if step == "type" else []
                    chats[chat].note_draft("lobby", Draft("\n".join(lines[chat])))
                if step in ("save", "quit"):
                    chats[chat].save()
                    saved[chat] = [*lines[chat]]
                if step in ("kill", "quit"):
                    chats.pop(chat).close()  # the locks are released, as the system does it
                    left += saved[chat]


KILLED = """
import sys
from pathlib import Path
from aws_iot.chat.model.state import Draft
from aws_iot.chat.parts.memory import Memory

memory = Memory(Path(sys.argv[1]))
drafts = memory.load().drafts
if len(sys.argv) > 2:
    memory.note_draft("lobby", Draft(sys.argv[2]))
    memory.save()
print(*(draft.text for draft in drafts.values()), sep="\\n", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_leaves_its_draft_to_exactly_one_of_those_that_start_at_once(tmp_path: Path) -> None:
    path = tmp_path / "me.json"

    def process(*draft: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", KILLED, path, *draft],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def first_line(started: "subprocess.Popen[str]") -> str:
        assert started.stdout
        return started.stdout.readline().strip()

    with process("killed") as killed:
        assert first_line(killed) == ""
        with process() as meanwhile:
            assert first_line(meanwhile) == ""
            killed.kill()
            killed.wait(DEADLINE_SECONDS)
            with process() as one, process() as other, process() as third:
                found = [first_line(started) for started in (one, other, third)]
    assert sorted(found) == ["", "", "killed"]
