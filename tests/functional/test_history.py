"""`aws-iot history`: show, search, count, export, import, delete, check and repair saved messages."""

import csv
import json
import re
import shlex
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aws_iot.history.file.schema import connect
from aws_iot.history.saving.owners import history_file, note_owner
from tests.conftest import CommandLine
from tests.fakes import FakeApp
from tests.histories import ALICE, BOB, entries, message, recorder, save, texts

MESSAGES = (
    message("first words", "1", at=0),
    message("second words", "2", sender=ALICE, at=1),
    message("elsewhere", "3", room="ops/night", at=2),
    message("third words", "4", at=3, re="2"),
    message("fourth", "5", at=4),
    message("fifth", "6", at=5),
    message("in a room like a command", "7", room="rooms", at=6),
)


@pytest.fixture
def file(app: FakeApp) -> Path:
    """The history of Alice, who is not signed in."""
    folder = app.settings.folders.history("default")
    save(path := history_file(folder, ALICE), *MESSAGES)
    note_owner(folder, "alice", ALICE)
    return path


def shown(output: str) -> list[str]:
    """The texts of lines for people."""
    return [line.rpartition(": ")[2] for line in output.splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("history lobby -n 2", ["fourth", "fifth"]),
        ("history -n 1 lobby", ["fifth"]),
        ("history 'ops/#' rooms", ["elsewhere", "in a room like a command"]),
        ("history -- rooms", ["in a room like a command"]),
        ("history -n 5 -- rooms", ["in a room like a command"]),
        ("history --since 2026-01-30", [one.text for one in MESSAGES]),
    ],
)
def test_rooms_are_arguments_and_those_with_the_name_of_a_command_follow_two_dashes(
    aws_iot: CommandLine, file: Path, line: str, expected: list[str]
) -> None:
    assert shown(aws_iot(line).stdout) == expected


def test_a_word_that_is_no_room_is_explained_even_if_others_are_rooms(
    aws_iot: CommandLine, file: Path
) -> None:
    done = aws_iot("history remove lobby")
    assert shown(done.stdout)[-1] == "fifth"
    assert done.stderr == "The history has no message of remove.\nDid you mean 'delete'?\n"


def test_a_time_from_which_on_to_show_messages_shows_all_of_them(aws_iot: CommandLine, file: Path) -> None:
    save(file, *(message(f"{number}", f"n{number}", at=number) for number in range(30)))
    assert len(shown(aws_iot("history").stdout)) == 20
    assert len(shown(aws_iot("history --since 2026-01-30").stdout)) == len(MESSAGES) + 30
    assert len(shown(aws_iot("history --since 2026-01-30 -n 3").stdout)) == 3


@pytest.mark.parametrize(
    ("line", "ends", "told"),
    [
        ("history -n 5 stats", 2, "Put options after 'stats'. To see a room of this name: aws-iot history -- stats"),
        ("history nowhere", 0, "The history has no message of nowhere.\nTo list the rooms: aws-iot history rooms"),
        ("history loby", 0, "Did you mean 'lobby'?"),
        ("history stat", 0, "Did you mean 'stats'?"),
        ("history search words", 0, "Did you mean '--search'?"),
        ("history remove", 0, "Did you mean 'delete'?"),
        ("history -- check", 0, "To run the command 'check', type it right after `history`.\n"),
        ("history --since yesterday 14:00", 0, "Did you mean: --since 'yesterday 14:00'\n"),
        ("history 14:00", 0, "To list the rooms: aws-iot history rooms\n"),
        ("history 'ops/#/x'", 2, "something follows '#', which can only be last"),
        ("history export ops#", 2, "a wildcard is part of a name"),
        ("history delete 'ops/#/x'", 2, "something follows '#', which can only be last"),
        ("history -r lobby", 2, "A room of the history needs no option."),
        ("history lobby --until 2020-01-01", 0, "No message was found."),
        ("history --context 2", 2, "--context requires --search or --from"),
        ("history delete", 2, "Which messages? Give a ROOM, --from WHO, --before TIME, or --all."),
        ("history delete lobby --all", 2, "--all excludes"),
        ("history delete lobby", 2, "A confirmation is needed"),
        ("history delete nowhere", 0, "No message was found. Nothing was deleted."),
        ("history delete loby --yes", 0, "Did you mean 'lobby'?"),
        ("history delete stats --yes", 0, "To list the rooms: aws-iot history rooms\n"),
        ("history export loby", 0, "The history has no message of loby.\nDid you mean 'lobby'?\n"),
        ("history export lobby.md", 0, "To write to a file: -o lobby.md\n"),
        ("history delete --before someday", 2, "'someday' is not a time"),
        ("history export -o {tmp}", 2, "is a directory"),
        ("history import {tmp}/none", 3, "none: cannot be read: No such file or directory"),
        ("history import -u carol {tmp}/none", 3, "Sign in first: aws-iot login -k default -u carol"),
        ("history stats -u carol", 3, "no history of carol yet"),
    ],
)  # fmt: skip
def test_a_mistake_is_explained(
    aws_iot: CommandLine, file: Path, tmp_path: Path, line: str, ends: int, told: str
) -> None:
    done = aws_iot(line.format(tmp=tmp_path), ends=ends)
    assert told in done.stderr
    assert done.stdout == ""


def test_messages_around_what_was_found_are_shown_too(aws_iot: CommandLine, file: Path) -> None:
    save(file, message("words elsewhere", "8", room="ops/night", at=9), message("last", "9", at=10))
    found = aws_iot("history --search words --context 1").stdout
    assert shown(found) == [
        *("first words", "second words", "third words", "fourth"),
        "--",
        *("elsewhere", "words elsewhere"),
    ]
    lines = map(json.loads, aws_iot("history --from alice --context 1 --json").stdout.splitlines())
    assert [(line["text"], "context" in line) for line in lines] == [
        ("first words", True),
        ("second words", False),
        ("third words", True),
    ]


def test_ids_can_be_shown_for_answers(aws_iot: CommandLine, file: Path) -> None:
    save(
        file,
        message("common", "8f4940f38ab24dc8baec1a0ce8508f53", at=9),
        message("chosen", "my id", at=10),
        message("from npm", at=11),
        message("1 of a stream", "33d99db9e9791b47-1", at=12),
        message("10 of a stream", "33d99db9e9791b47-10", at=13),
        message("2 of a stream", "33d99db9e9791b47-2", at=14),
    )
    common, chosen, npm, *stream = aws_iot("history --ids -n 6").stdout.splitlines()
    assert common.endswith(" [lobby] bob~b0b00000 (id 8f4940f3): common")
    assert [line.partition("(id ")[2].partition(")")[0] for line in stream] == [
        "33d99db9e9791b47-1",
        "33d99db9e9791b47-10",
        "33d99db9e9791b47-2",
    ]
    assert chosen.endswith('(id "my id"): chosen')
    assert re.search(r"~b0b00000 \(id ~[0-9a-f]{7}\): from npm$", npm)


def test_rooms_are_listed_with_what_is_unread(aws_iot: CommandLine, file: Path) -> None:
    header, *rows = aws_iot("history rooms").stdout.splitlines()
    assert header.split() == ["ROOM", "MESSAGES", "UNREAD", "LAST"]
    assert [row.split()[:3] for row in rows] == [
        ["lobby", "5", "4"],
        ["ops/night", "1", "1"],
        ["rooms", "1", "1"],
    ]
    last = json.loads(aws_iot("history rooms --json").stdout.splitlines()[0])
    assert last == {"room": "lobby", "messages": 5, "unread": 4, "last": "2026-01-31T12:00:05.000Z"}
    aws_iot("history lobby")
    assert "lobby" in aws_iot("history rooms").stdout
    assert aws_iot("history rooms").stdout.splitlines() == [header, *rows]  # a pipe reads nothing


def test_an_export_is_a_file_that_only_you_can_read_and_can_be_imported_again(
    aws_iot: CommandLine, file: Path, tmp_path: Path
) -> None:
    save(
        file,
        message("edited", "e", kind="edit", re="1", at=9),
        message("👍", "r", kind="react", re="2", at=9),
    )
    before = entries(file)
    target = tmp_path / "export.jsonl"
    assert f"Exported 9 messages to {target}." in aws_iot(f"history export -o {target}").stderr
    assert target.stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
    assert aws_iot("history export").stdout == target.read_text(encoding="utf-8")
    known = aws_iot(f"history import {target}").stderr
    assert known == "Imported 0 new messages; 9 were in the history already.\n"
    aws_iot("history delete --all --yes")
    lines = target.read_text(encoding="utf-8")
    done = aws_iot("history import", stdin=lines)
    assert done.stderr == "Imported 9 new messages.\n"
    assert entries(file) == before


def test_an_export_has_the_form_of_its_ending_and_replaces_a_file_only_if_told_to(
    aws_iot: CommandLine, file: Path, tmp_path: Path
) -> None:
    markdown, table = tmp_path / "lobby.md", tmp_path / "lobby.csv"
    aws_iot(f"history export lobby --from bob -o {markdown}")
    assert markdown.read_text().startswith("## lobby, Saturday, 31 January 2026")
    aws_iot(f"history export 'ops/#' -o {table}")
    [row] = csv.DictReader(table.read_text().splitlines())
    assert (row["room"], row["text"], row["name"]) == ("ops/night", "elsewhere", "bob")
    assert "--replace" in aws_iot(f"history export -o {table} --format jsonl", ends=2).stderr
    aws_iot(f"history export -o {table} --format jsonl --replace")
    assert len(table.read_text().splitlines()) == 7


@pytest.mark.parametrize("text", ["not JSON", '{"room": "lobby"}', "x" * 5_000_000])
def test_what_cannot_be_imported_is_explained(aws_iot: CommandLine, file: Path, text: str) -> None:
    assert "cannot be imported" in aws_iot("history import", stdin=text, ends=3).stderr
    assert len(entries(file)) == len(MESSAGES)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("delete lobby 'ops/+' --yes", ["in a room like a command"]),
        ("delete --from bob --yes", ["second words"]),
        ("delete --before '2026-01-31T12:00:04Z' --yes", ["fourth", "fifth", "in a room like a command"]),
        ("delete lobby --from 4f9fa251 --before 1d --yes", [one.text for one in MESSAGES if one.sender == BOB]),
    ],
)  # fmt: skip
def test_only_what_was_chosen_is_deleted(
    aws_iot: CommandLine, file: Path, line: str, left: list[str]
) -> None:
    count = len(MESSAGES) - len(left)
    assert aws_iot(f"history {line}").stderr == f"Deleted {count} message{'s' if count > 1 else ''}.\n"
    assert texts(entries(file)) == left


def test_stats_show_how_much_is_saved_and_where(aws_iot: CommandLine, file: Path) -> None:
    told = aws_iot("history stats").stdout
    assert re.search(r"^Messages +7, 6 of them unread$", told, re.MULTILINE)
    assert str(file) in told
    found = json.loads(aws_iot("history stats --json").stdout)
    assert (found["messages"], found["rooms"], found["senders"]) == (7, 3, 2)
    assert (found["first"], found["saving"]) == ("2026-01-31T12:00:00.000Z", True)


@pytest.mark.parametrize(
    "line", ["history check", "history stats", "history rooms", "history export", "history"]
)
def test_what_a_program_has_just_saved_is_there(aws_iot: CommandLine, app: FakeApp, line: str) -> None:
    folder = app.settings.folders.history("default")
    note_owner(folder, "alice", ALICE)
    with recorder(path := history_file(folder, ALICE)) as recording:
        recording.add(MESSAGES[0])
    aws_iot(line)
    assert texts(entries(path)) == ["first words"]


def test_a_damaged_history_names_the_command_that_repairs_it(
    aws_iot: CommandLine, app: FakeApp, file: Path
) -> None:
    assert "No problem was found" in aws_iot("history check --repair").stderr
    with closing(connect(file)) as database:
        database.execute("UPDATE room SET messages = 99")
    told = aws_iot("history check -k default -u alice", ends=3).stderr
    assert "the counts of rooms are wrong" in told
    assert "aws-iot history check --repair -u alice -k default" in told
    told = aws_iot("history check --repair").stderr
    assert "Repaired: 7 messages could be read" in told
    assert texts(entries(file)) == [one.text for one in MESSAGES]
    file.write_bytes(b"this is no database")
    for line in ("history", "history rooms -k default", f"history import {shlex.quote(__file__)}"):
        told = aws_iot(line, ends=3).stderr
        assert "the history is damaged" in told, line
        assert "To repair it: aws-iot history check --repair" in told, line


def test_what_can_be_read_of_a_file_that_was_set_aside_is_imported(
    aws_iot: CommandLine, file: Path, tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    aside.write_bytes(file.read_bytes())
    aws_iot("history delete lobby --yes")
    assert "Imported 5 new messages; 2 were" in aws_iot(f"history import {aside}").stderr
    assert texts(entries(file)) == [one.text for one in MESSAGES]
    assert aside.exists()
    assert [one.name for one in file.parent.iterdir() if one.is_dir()] == []


@pytest.mark.usefixtures("berlin")
def test_times_are_local_on_the_days_on_which_clocks_change(aws_iot: CommandLine, file: Path) -> None:
    hours = 3600.0
    march, october = 56.5 * 24 * hours, 266.5 * 24 * hours  # 2026-03-29 and 2026-10-25, 00:00 UTC
    save(
        file,
        message("01:59", "a", at=march + 0.98 * hours),
        message("03:01", "b", at=march + 1.02 * hours),
        message("summer 02:30", "c", at=october + 0.5 * hours),
        message("winter 02:30", "d", at=october + 1.5 * hours),
    )
    for since, until, expected in (
        ("2026-03-29 02:01", "2026-03-29 04:00", ["03:01"]),  # 02:01 is skipped
        ("2026-03-29", "2026-03-29", ["01:59", "03:01"]),
        ("2026-10-25 02:30", "2026-10-25 02:31", ["summer 02:30", "winter 02:30"]),
        ("2026-10-25 02:31", "2026-10-25 03:00", ["winter 02:30"]),
    ):
        done = aws_iot(f"history --json --since '{since}' --until '{until}'")
        assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == expected, since
    line = aws_iot("history --since '2026-03-29 03:00' -n 1 --until 2026-03-30").stdout
    assert line.startswith("2026-03-29 03:01:12 [lobby]")


def test_words_of_every_script_are_found(aws_iot: CommandLine, file: Path) -> None:
    save(
        file,
        message("明日の会議は東京です", "a", at=9),
        message("请确认会议时间", "b", at=9),
        message("Der Café-Bär", "c", at=9),
    )
    for words, expected in (("会議", ["a"]), ("确认", ["b"]), ("会", ["a", "b"]), ("bar cafe", ["c"])):
        done = aws_iot(f"history --json --search '{words}'")
        assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == expected, words


def settings(aws_iot: CommandLine) -> tuple[object, ...]:
    """What `config show` says about the history."""
    shown = json.loads(aws_iot("config show").stdout)
    return shown["history"], shown["history_days"], shown["history_megabytes"]


def test_a_profile_turns_the_history_off_and_limits_it(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path
) -> None:
    assert settings(aws_iot) == (True, None, None)
    told = aws_iot("config --history off").stderr
    assert "aws-iot history delete --all" in told
    aws_iot("config --history-days 90 --history-megabytes 500")
    assert settings(aws_iot) == (False, 90, 500)
    exports = tmp_path / "exports.json"
    exports.write_text(json.dumps(json.loads(aws_iot("config show").stdout)["aws_exports"]))
    aws_iot(f"config -s {exports} --replace")
    assert settings(aws_iot) == (False, 90, 500)
    assert (
        "To save messages again: aws-iot config --history on -k default" in aws_iot("history", ends=3).stderr
    )
    aws_iot("config --history on --history-days 0")
    assert settings(aws_iot) == (True, None, 500)


def test_what_exceeds_the_limits_of_the_profile_is_deleted_before_it_is_shown(
    aws_iot: CommandLine, file: Path
) -> None:
    aws_iot("config --history-days 36500 --history-megabytes 1")
    assert len(shown(aws_iot("history").stdout)) == len(MESSAGES)
    assert re.search(
        r"^Saving +on, for 36,500 days, up to 1 MB$", aws_iot("history stats").stdout, re.MULTILINE
    )
    aws_iot("config --history-days 1")
    assert shown(aws_iot("history").stdout) == []
