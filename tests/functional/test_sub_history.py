"""`aws-iot sub` and the history: printing it first, and choosing messages by their text."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from aws_iot.history.saving.owners import history_file
from aws_iot.messaging.connection import Publication
from aws_iot.messaging.message import Message
from tests import fakes
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeConnection
from tests.histories import entries, message, save

ALICE = "-u alice -p Passw0rd"
CAROL = "us-east-1:ca401000-0000-0000-0000-000000000003"


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


@pytest.fixture
def path(app: FakeApp, identity: str) -> Path:
    """The file of Alice's history."""
    return history_file(app.settings.folders.history("default"), identity)


def ago(app: FakeApp, minutes: float, text: str, id_: str | None = None, **more: object) -> Message:
    """A message that arrived so many minutes ago."""
    made = message(text, id_, **more)  # type: ignore[arg-type]
    return made._replace(received=app.settings.now() - timedelta(minutes=minutes))


def live(one: Message) -> Publication:
    known = [("id", one.id), ("name", one.name), ("kind", one.kind), ("re", one.re)]
    properties = tuple((key, value) for key, value in known if value is not None)
    return Publication(f"{POOL}/{one.room}/{one.sender}", one.payload, properties)


def arrive(app: FakeApp, *messages: Message) -> None:
    """The next connection gets these messages, and then Ctrl-C."""
    fakes.arrive(app, *map(live, messages))


def texts(lines: str) -> list[str]:
    return [json.loads(line)["text"] for line in lines.splitlines()]


def test_the_history_since_a_time_comes_first_and_nothing_twice(
    aws_iot: CommandLine, app: FakeApp, path: Path
) -> None:
    saved = [
        ago(app, 90, "too old", "1"),
        ago(app, 50, "frist", "2"),
        ago(app, 49, "from npm"),
        ago(app, 48, "elsewhere", "3", room="ops"),
        ago(app, 47, "oops", "4"),
        ago(app, 46, "first", "5", kind="edit", re="2"),
        ago(app, 45, "(message deleted)", "6", kind="delete", re="4"),
        ago(app, 0, "both", "7"),
        ago(app, 0, "both from npm"),
    ]
    save(path, *saved)
    arrive(app, *saved[-2:], message("both from npm"), message("new", "8"))
    line = f"sub --json --since 1h -r lobby {ALICE}"
    expected = ["frist", "from npm", "first", "(message deleted)", "both", "both from npm"]
    assert texts(aws_iot(line, ends=130).stdout) == [*expected, "both from npm", "new"]
    assert texts(aws_iot(f"{line} -C 3").stdout) == expected[:3]
    assert texts(aws_iot(f"{line} -C 7").stdout) == [*expected, "both from npm"]


def test_past_messages_are_selected_and_handled_as_new_ones_are(
    aws_iot: CommandLine, app: FakeApp, path: Path
) -> None:
    save(
        path,
        ago(app, 9, "bob 1", "1"),
        ago(app, 8, "carol 1", "2", sender=CAROL),
        ago(app, 7, "bob 2", "3", room="ops/db"),
        ago(app, 6, "bob 3", "4", room="lobby/x"),
    )
    arrive(app)
    for options, expected in (
        (f"--from {CAROL}", ["carol 1"]),
        ("--grep '[23]'", ["bob 2", "bob 3"]),
        ("-r 'ops/#' -r lobby", ["bob 1", "carol 1", "bob 2"]),
        ("--grep bob --no-history", ["bob 1", "bob 2", "bob 3"]),
    ):
        done = aws_iot(f"sub --json --since 1h {options} {ALICE}", ends=130)
        assert texts(done.stdout) == expected, options
    app.controls.on_connect = lambda _: None
    lines = aws_iot(f"sub --since 1h --format '{{text}}' -W 0.1 {ALICE}").stdout
    assert lines.splitlines() == ["bob 1", "carol 1", "bob 2", "bob 3"]
    done = aws_iot(f"sub --since 1m -W 0.1 {ALICE}", ends=8)
    assert "The history has no matching message since then." in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="runs sh")
def test_a_command_runs_for_past_messages_too(
    aws_iot: CommandLine, app: FakeApp, path: Path, tmp_path: Path
) -> None:
    save(path, ago(app, 9, "1", "1"), ago(app, 8, "2", "2"))
    arrive(app, ago(app, 8, "2", "2"), message("3", "3"))
    log = tmp_path / "log"
    aws_iot(f"sub --since 1h -C 3 --exec 'sh -c \"(cat; echo) >> {log}\"' {ALICE}")
    assert log.read_text().split() == ["1", "2", "3"]


def test_what_a_durable_session_delivers_again_is_printed_once(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, path: Path
) -> None:
    save(path, ago(app, 9, "printed before a crash", "1"))
    arrive(app, ago(app, 9, "printed before a crash", "1"), message("kept by the broker", "2"))
    done = aws_iot(f"sub --json --since 1h --durable d -C 2 {ALICE}")
    assert texts(done.stdout) == ["printed before a crash", "kept by the broker"]
    assert cloud.connections[-1].acknowledged == 2


def test_the_history_is_not_printed_before_it_has_subscribed(
    aws_iot: CommandLine, app: FakeApp, path: Path
) -> None:
    """What another program saves in between would be missing."""

    def put(connection: FakeConnection) -> None:
        late = message("late", "9")._replace(received=app.settings.now())
        connection.on_subscribed = lambda: (save(path, late), connection.events.put(KeyboardInterrupt()))  # type: ignore[func-returns-value,assignment]

    app.controls.on_connect = put
    assert texts(aws_iot(f"sub --json --since 1m {ALICE}", ends=130).stdout) == ["late"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--since someday", "'someday' is not a time: use 30m, 2h"),
        ("--since 2999-01-01", "--since 2999-01-01 has not come yet"),
        ("--grep 'a(b'", "missing ), unterminated subpattern at position 2 of 'a(b'"),
        ("--grep '*'", "nothing to repeat at position 1 of '*'"),
        ("--grep '(?<=\\p{foo})'", "at position"),
        ("--grep 'x{2,1}'", "min repeat greater than max repeat at position"),
        ("--grep ''", "it is empty"),
        ("--grep a --grep b", "--grep was given 2 times"),
        ("--search deploy", "aws-iot sub --grep deploy"),
        ("--history 2h", "aws-iot sub --since 2h"),
    ],
)
def test_a_mistake_is_explained_before_it_connects(
    aws_iot: CommandLine, cloud: FakeCloud, options: str, told: str
) -> None:
    assert told in aws_iot(f"sub {options}", ends=2).stderr
    assert not cloud.connections


def test_a_newer_history_is_an_error_only_with_since(aws_iot: CommandLine, app: FakeApp, path: Path) -> None:
    save(path, message("old", "1"))
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    arrive(app, message("new", "2"))
    done = aws_iot(f"sub --json -C 1 {ALICE}")
    assert texts(done.stdout) == ["new"]
    assert "a newer version" in aws_iot(f"sub --json --since 1h {ALICE}", ends=3).stderr


def test_a_damaged_history_is_set_aside_and_receiving_goes_on(
    aws_iot: CommandLine, app: FakeApp, path: Path
) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("no database" * 1000)
    arrive(app, message("new", "2"))
    done = aws_iot(f"sub --json -C 1 --since 1h {ALICE}")
    assert texts(done.stdout) == ["new"]
    assert done.stderr.count("a new history begins, and the old file is now") == 1
    assert [entry.message.text for entry in entries(path)] == ["new"]


def test_messages_are_chosen_by_their_text_but_all_are_saved_and_acknowledged(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, path: Path
) -> None:
    arrive(app, *(message(text, text) for text in ("Error 1", "fine", "ERROR 2", "fine again", "error 3")))
    done = aws_iot(f"sub --json --grep '(?i)^error \\d' -C 3 {ALICE}")
    assert texts(done.stdout) == ["Error 1", "ERROR 2", "error 3"]
    assert cloud.connections[-1].acknowledged == 5
    assert len(entries(path)) == 5


def test_a_text_that_takes_too_long_to_match_is_printed(aws_iot: CommandLine, app: FakeApp) -> None:
    hostile = "a" * 5000 + "b"
    arrive(app, *(message(text, str(at)) for at, text in enumerate([hostile, "no", hostile, "aaa"])))
    done = aws_iot(f"sub --json --grep '^(a+)+$' {ALICE}", ends=130)
    assert texts(done.stdout) == [hostile, hostile, "aaa"]
    assert done.stderr.count("takes too long with some messages") == 1


def test_matches_are_highlighted_in_color(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(app, message("deploy \x1b[31m of api", "1"))
    shown = aws_iot(f"sub --grep '(?<=de)p.|api' {ALICE}", ends=130, env={"CLICOLOR_FORCE": "1"}).stdout
    assert shown.endswith("de\x1b[1;31mpl\x1b[0moy \\x1b[31m of \x1b[1;31mapi\x1b[0m\n")
    plain = aws_iot(f"sub --json --grep nothing --since 1h {ALICE}", ends=130, env={"CLICOLOR_FORCE": "1"})
    assert plain.stdout == ""


def test_what_refers_to_another_message_is_marked_in_a_pipe_too(aws_iot: CommandLine, app: FakeApp) -> None:
    arrive(
        app,
        message("yes", "2", re="1"),
        message("first", "3", kind="edit", re="1"),
        message("👍", "4", kind="react", re="1"),
        message("(message deleted)", "5", kind="delete", re="1"),
        message("(edit)", "6"),
    )
    lines = aws_iot(f"sub {ALICE}", ends=130).stdout.splitlines()
    assert [line.partition("] ")[2] for line in lines] == [
        "bob~b0b00000 (reply): yes",
        "bob~b0b00000 (edit): first",
        "bob~b0b00000 (reaction): 👍",
        "bob~b0b00000 (deletion): (message deleted)",
        "bob~b0b00000: (edit)",
    ]
