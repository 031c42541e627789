"""Edits, deletions, reactions and replies: whatever the order of arrival, the result is the same."""

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aws_iot.history.conversation import Reaction
from aws_iot.history.details import own_reactions
from aws_iot.history.file.intake import Intake, sort_in
from aws_iot.history.file.journal import Journal
from aws_iot.history.file.record import new_writer, to_entry, to_record
from aws_iot.history.file.schema import connect
from aws_iot.history.search import parse_search, search
from aws_iot.history.store import Filter, History
from aws_iot.messaging.message import Message
from tests.histories import ALICE, BOB, NOW, entries, message, save, texts


def test_an_edit_counts_only_from_the_sender_and_in_the_room_of_the_original(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(
        path,
        message("original", "1"),
        message("by another", "2", sender=ALICE, kind="edit", re="1", sent=9),
        message("elsewhere", "3", room="ops", kind="edit", re="1", sent=9),
    )
    [entry] = entries(path)
    assert (entry.message.text, entry.is_edited) == ("original", False)
    save(
        path,
        message("last", "5", kind="edit", re="1", sent=2),
        message("first", "4", kind="edit", re="1", sent=1),
    )
    [entry] = entries(path)
    assert (entry.message.text, entry.message.payload, entry.is_edited) == ("last", b'{"msg":"last"}', True)


def test_a_deletion_leaves_a_trace_and_wins_over_edits(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(
        path,
        message("(message deleted)", "9", kind="delete", re="1"),
        message("edited", "2", kind="edit", re="1"),
        message("original", "1", at=1),
        message("kept", "3", at=2),
        message("(message deleted)", "8", sender=ALICE, kind="delete", re="3"),
    )
    deleted, kept = entries(path)
    assert (deleted.is_deleted, deleted.message.text, deleted.message.payload) == (True, "", b"")
    assert (kept.is_deleted, kept.message.text) == (False, "kept")


def test_a_reaction_counts_once_for_each_person_and_can_be_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(
        path,
        message("original", "1"),
        message("👍", "2", kind="react", re="1"),
        message("👍", "3", kind="react", re="1"),
        message("👍", "4", sender=ALICE, kind="react", re="1"),
        message("🎉", "5", sender=ALICE, kind="react", re="1"),
        message("🎉", "6", sender=ALICE, room="ops", kind="react", re="1"),
    )
    [entry] = entries(path)
    assert entry.reactions == (Reaction("🎉", (ALICE,)), Reaction("👍", (ALICE, BOB)))
    save(path, *(message("", f"9{id_}", sender=ALICE, kind="delete", re=id_) for id_ in "45"))
    [entry] = entries(path)
    assert entry.reactions == (Reaction("👍", (BOB,)),)


def test_an_emoji_counts_as_the_same_reaction_in_every_tone_of_skin(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite3"
    save(
        path,
        message("one", "1", sender=BOB),
        *(
            message(text, str(number), sender=sender, kind="react", re="1")
            for number, (sender, text) in enumerate(
                ((BOB, "👍🏽"), (ALICE, "👍"), (ALICE, "👍🏿"), (BOB, "🏽"), (BOB, "👩🏽\u200d🚀")), 2
            )
        ),
    )
    with History(path) as history:
        [entry] = history.last(Filter(["lobby"]), 9)
        assert entry.reactions == (
            Reaction("🏽", (BOB,)),
            Reaction("👍", (ALICE, BOB)),
            Reaction("👩\u200d🚀", (BOB,)),
        )
        assert own_reactions(history, entry, ALICE, "👍🏼") == ["3", "4"]


def test_an_emoji_in_the_style_of_text_counts_as_the_same_reaction(tmp_path: Path) -> None:
    path = tmp_path / "file"
    heart, narrow = "❤\ufe0f", "❤"
    save(
        path,
        message("original", "1"),
        message(narrow, "2", kind="react", re="1"),
        message(heart, "3", kind="react", re="1"),
        message(heart, "4", sender=ALICE, kind="react", re="1"),
    )
    [entry] = entries(path)
    assert entry.reactions == (Reaction(heart, (ALICE, BOB)),)
    with History(path) as history:
        for text in (heart, narrow):
            assert own_reactions(history, entry, BOB, text) == ["2", "3"]
            assert own_reactions(history, entry, ALICE, text) == ["4"]
        assert own_reactions(history, entry, BOB, "👍") == []


def test_a_reply_quotes_what_it_answers_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(
        path,
        message("original", "1"),
        message("edited", "2", kind="edit", re="1"),
        message("gone", "3", at=1),
        message("", "4", kind="delete", re="3"),
        *(message(f"to {re}", f"5{re}", sender=ALICE, at=2, re=re) for re in ("1", "3", "unknown")),
    )
    _, _, to_edited, to_deleted, to_unknown = entries(path)
    assert to_edited.reply_to
    assert (to_edited.reply_to.text, to_edited.reply_to.name) == ("edited", "bob")
    assert to_deleted.reply_to
    assert to_deleted.reply_to.text is None
    assert to_unknown.reply_to is None


def test_unknown_kinds_are_shown_as_messages(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(path, message("alice is typing", "1", kind="presence"), message("?", "2", kind="edit"))
    assert texts(entries(path)) == ["alice is typing", "?"]


def test_messages_of_the_npm_tool_can_be_answered(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(path, message("ok", at=0), message("ok", at=10))
    derived = entries(path)[0].id
    save(
        path,
        message("👍", "2", sender=ALICE, at=5, kind="react", re=derived),
        message("thanks", "3", sender=ALICE, at=20, re=derived),
        message("edited", "4", at=21, kind="edit", re=derived),
        message("", "5", at=22, kind="delete", re=derived),
        message("not it", derived, at=23),
    )
    first, second, thanks, _ = entries(path)
    assert (texts([first, second]), first.reactions, second.reactions) == (
        ["ok", "ok"],
        (Reaction("👍", (ALICE,)),),
        (),
    )
    assert thanks.reply_to
    assert (thanks.reply_to.id, thanks.reply_to.text) == (derived, "ok")


IDS = ["1", "2", "3", "a" * 32]
SENDERS = [ALICE, BOB]

conversations = st.lists(
    st.builds(
        message,
        st.sampled_from(["apple", "pear", "日本語"]),
        st.sampled_from(IDS),
        sender=st.sampled_from(SENDERS),
        room=st.sampled_from(["lobby", "ops"]),
        at=st.integers(0, 3),
        sent=st.none() | st.integers(0, 2),
        kind=st.sampled_from([None, None, "edit", "delete", "react", "other"]),
        re=st.none() | st.sampled_from(IDS),
    ),
    max_size=8,
    unique_by=lambda one: (one.sender, one.id),
)


def seen_by(
    model: list[Message],
) -> dict[tuple[str, str | None], tuple[str | None, bool, tuple[Reaction, ...]]]:
    """What is visible, by the plainest reading of the rules, of a set of messages."""

    def is_event(one: Message) -> bool:
        return one.re is not None and one.kind in ("edit", "delete", "react")

    deletions = [one for one in model if one.kind == "delete" and one.re is not None]
    originals = [one for one in model if not is_event(one)]

    def is_named(one: Message, id_: str | None) -> bool:
        return any((d.sender, d.room, d.re) == (one.sender, one.room, id_) for d in deletions)

    def is_deleted(one: Message) -> bool:
        is_edit = one.kind == "edit" and one.re is not None
        return is_named(one, one.id) or (is_edit and is_named(one, one.re))

    found: dict[tuple[str, str | None], tuple[str | None, bool, tuple[Reaction, ...]]] = {}
    for one in originals:
        alive = [
            other
            for other in model
            if other.re == one.id and other.room == one.room and not is_deleted(other)
        ]
        edits = [other for other in alive if other.kind == "edit" and other.sender == one.sender]
        edits.sort(key=lambda edit: (edit.sent.timestamp() if edit.sent else 0, edit.id))
        reactions = {other.text for other in alive if other.kind == "react"}
        found[one.sender, one.id] = (
            (None, False, ())
            if is_deleted(one)
            else (
                edits[-1].text if edits else one.text,
                bool(edits),
                tuple(
                    Reaction(
                        reaction,
                        tuple(sorted({o.sender for o in alive if o.kind == "react" and o.text == reaction})),
                    )
                    for reaction in sorted(reactions)
                ),
            )
        )
    return found


class Conversations(RuleBasedStateMachine):
    """Messages arrive in any order, again and again, through two programs."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / "file"
        self._databases = [connect(self._path, ALICE) for _ in range(2)]
        for database in self._databases:
            database.execute("PRAGMA synchronous = OFF")
        self._programs = [(Intake(database), new_writer()) for database in self._databases]
        self._journals = [Journal(self._path) for _ in range(2)]
        self._model: dict[tuple[str, str | None], Message] = {}
        self._known: list[Message] = []

    def teardown(self) -> None:
        for journal in self._journals:
            journal.close()
        for database in self._databases:
            database.close()
        self._folder.cleanup()

    @rule(program=st.integers(0, 1), several=conversations)
    def arrive(self, program: int, several: list[Message]) -> None:
        intake, writer = self._programs[program]
        # Whoever uses an ID twice loses the second message. That would depend on the order, as it should.
        new = [one for one in several if self._model.setdefault((one.sender, one.id), one) == one]
        intake.add([to_record(one) for one in new], writer)
        self._known += new

    @rule(program=st.integers(0, 1), several=conversations, sorts_in=st.none() | st.integers(0, 1))
    def arrive_fast(self, program: int, several: list[Message], sorts_in: int | None) -> None:
        """A program only saves them in its journal. It, the other one, or a reader sorts them in."""
        new = [one for one in several if self._model.setdefault((one.sender, one.id), one) == one]
        if new:
            self._journals[program].append(to_entry(new, self._programs[program][1]))
        if sorts_in is not None:
            for _ in sort_in(self._databases[sorts_in], self._path, self._journals[sorts_in]):
                pass
        self._known += new

    @rule(program=st.integers(0, 1), data=st.data())
    def arrive_again(self, program: int, data: st.DataObject) -> None:
        if self._known:
            intake, writer = self._programs[program]
            again = data.draw(st.lists(st.sampled_from(self._known), max_size=5))
            intake.add([to_record(one) for one in again], writer)

    @invariant()
    def everything_is_as_the_rules_say(self) -> None:
        wanted = seen_by(list(self._model.values()))
        with History(self._path) as history:
            found = {
                (entry.message.sender, entry.message.id): (
                    None if entry.is_deleted else entry.message.text,
                    entry.is_edited,
                    entry.reactions,
                )
                for entry in history.all(Filter())
            }
            assert found == wanted
            for word in ("apple", "pear", "日本"):
                by_index = search(history, parse_search(word, NOW), 100) if self._known else []
                assert {(entry.message.sender, entry.message.id) for entry in by_index} == {
                    key for key, (text, *_) in wanted.items() if text and word in text
                }
            counted = {room.room: room.messages for room in history.rooms()}
            rooms = [self._model[key].room for key in wanted]
            assert counted == {room: rooms.count(room) for room in set(rooms)}
            history.database.execute(
                "INSERT INTO words (words) VALUES ('integrity-check')"
            ) if self._known else None


TestConversations = Conversations.TestCase
TestConversations.settings = settings(
    max_examples=25, stateful_step_count=8, deadline=None, derandomize=True, database=None
)


@pytest.mark.long
def test_conversations_for_a_long_time() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Conversations,
        settings=settings(max_examples=300, stateful_step_count=10, deadline=None, database=None),
    )


def test_an_index_that_an_old_program_left_behind_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(path, message("apple", "1"), message("pear", "2", kind="edit", re="1"), message("apple", "3"))
    database: sqlite3.Connection = connect(path)
    database.execute("DROP TABLE words")
    database.execute("UPDATE setting SET value = 0 WHERE name = 'index'")
    database.close()
    save(path, message("apple", "4", at=1))
    with History(path) as history:
        assert [entry.id for entry in search(history, parse_search("apple", NOW), 9)] == ["3", "4"]
        assert [entry.id for entry in search(history, parse_search("pear", NOW), 9)] == ["1"]
