"""`aws-iot sub` saves what it receives, and `aws-iot history` shows it."""

import json
import re
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.history.saving.owners import history_file
from aws_iot.history.store import History
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Publication
from aws_iot.messaging.message import encode
from tests import terminal
from tests.histories import message, save
from tests.in_process import run_here
from tests.processes import COMMAND, Person, Running, Stack, run
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import wait_until


@pytest.fixture
def listener(stack: Stack) -> Person:
    """Who has no history yet."""
    return stack.person()


def texts(lines: str) -> list[str]:
    return [json.loads(line)["text"] for line in lines.splitlines()]


def folder(person: Person) -> Path:
    return Path(person.env["AWS_IOT_CONFIG_DIR"]) / "history" / person.env["AWS_IOT_PROFILE"]


def file(person: Person) -> Path:
    return history_file(folder(person), person.identity)


def hear(person: Person, speaker: Client, room: str, *said: str, options: str = "") -> Running:
    """Run `sub` until it has printed these messages."""
    running = Running(f"sub -r {room} -C {len(said)} {options}", person.env)
    try:
        running.wait_for("Receiving")
        for one in said:
            speaker.publish(room, one)
        assert running.wait() == 0, running.report()
    finally:
        running.kill()
    return running


def test_what_sub_prints_is_shown_again_filtered_and_found(
    listener: Person, speaker: Client, room: str
) -> None:
    heard = hear(listener, speaker, room, "first words", "second \x1b[31mline", "third words")
    assert run_here("history", listener.env).stdout.splitlines() == heard.stdout
    assert file(listener).stat().st_mode & 0o777 == 0o600 or sys.platform == "win32"
    for options, expected in (
        ("-n 1", ["third words"]),
        (room, ["first words", "second \x1b[31mline", "third words"]),
        ("no-such-room", []),
        ("--search 'wor* -third'", ["first words"]),
        ("--search words --since 1h --until now -n 1", ["third words"]),
        ("--until yesterday", []),
        ("--from BOB -n 2", ["second \x1b[31mline", "third words"]),
        ("--from carol", []),
    ):
        done = run_here(f"history --json {options}", listener.env)
        assert texts(done.stdout) == expected, options
        assert bool(re.search("No message was found|has no message of", done.stderr)) == (not expected)
    line = json.loads(run_here("history --json -n 1", listener.env).stdout)
    assert (line["room"], line["name"], line["qos"]) == (room, "bob", 1)


def test_nothing_is_saved_if_you_want_no_history(listener: Person, speaker: Client, room: str) -> None:
    hear(listener, speaker, room, "secret", options="--no-history")
    assert not folder(listener).exists()
    done = run_here("history", listener.env, ends=3)
    assert f"the profile 'local' has no history of {listener.username} yet" in done.stderr
    assert "aws-iot sub -k local" in done.stderr


def test_each_user_has_a_history_that_is_known_after_signing_out(
    listener: Person, stack: Stack, speaker: Client, room: str
) -> None:
    own = {name: value for name, value in listener.env.items() if name != "AWS_IOT_USER"}
    listener = replace(listener, env=own)
    hear(listener, speaker, room, "to the first")
    other = replace(stack.person(), env=own)
    run_here(f"login -u {other.username}", own)
    hear(other, speaker, room, "to the second")
    assert texts(run_here("history --json", listener.env).stdout) == ["to the second"]
    first = f"history --json -u {listener.username}"
    assert texts(run_here(first, listener.env).stdout) == ["to the first"]
    run_here("logout", listener.env)
    assert texts(run_here(first, listener.env).stdout) == ["to the first"]
    assert texts(run_here("history --json", listener.env).stdout) == ["to the second"]


def test_sub_goes_on_if_nothing_can_be_saved(listener: Person, speaker: Client, room: str) -> None:
    folder(listener).parent.mkdir(parents=True)
    folder(listener).write_text("a file in the place of the folder")
    heard = hear(listener, speaker, room, "1", "2")
    assert [line[-1] for line in heard.stdout] == ["1", "2"]
    assert len([line for line in heard.stderr if "not saved from now on" in line]) == 1


def test_two_subs_save_each_message_once_and_a_third_begins_in_the_past(
    listener: Person, stack: Stack, speaker: Client, room: str
) -> None:
    both = [Running(f"sub --json -r {room} -C 6", listener.env) for _ in range(2)]
    try:
        for running in both:
            running.wait_for("Receiving")
        topic = f"{stack.profile.identity_pool_id}/{room}/{speaker.identity}"
        for number in range(3):
            speaker.publish(room, f"with an ID {number}")
            speaker._connection.publish(Publication(topic, encode("without one")))
        for running in both:
            assert running.wait() == 0, running.report()
    finally:
        for running in both:
            running.kill()
    said = [one for number in range(3) for one in (f"with an ID {number}", "without one")]
    assert texts("\n".join(both[0].stdout)) == said
    assert texts(run_here("history --json", listener.env).stdout) == said
    assert texts(run_here(f"sub --json -r {room} --since 1h -C 6", listener.env).stdout) == said
    assert texts(run_here("history --json", listener.env).stdout) == said


def test_a_killed_sub_has_saved_what_it_printed(listener: Person, speaker: Client, room: str) -> None:
    running = Running(f"sub -r {room}", listener.env)
    try:
        running.wait_for("Receiving")
        speaker.publish(room, "printed")
        running.wait_for("printed")
        running.process.kill()
        running.wait()
    finally:
        running.kill()
    assert texts(run_here("history --json", listener.env).stdout) == ["printed"]


def test_replies_edits_deletions_and_reactions_are_marked_where_no_text_can_imitate_it(
    listener: Person,
) -> None:
    save(
        file(listener),
        message("frist", "1", at=1),
        message("first", "2", at=2, kind="edit", re="1"),
        message("oops (edited)", "3", at=3),
        message("", "4", at=4, kind="delete", re="3"),
        message("fine", "5", at=5, re="1"),
        message("👍", "6", at=6, kind="react", re="5"),
        message("it was (edited)", "7", at=7),
    )
    lines = run_here("history", listener.env).stdout.splitlines()
    assert [re.sub(r"^.*\[lobby\] ", "", line) for line in lines] == [
        "bob~b0b00000 (edited): first",
        "bob~b0b00000 (deleted): ",
        "bob~b0b00000 (👍 1; to bob~b0b00000 first): fine",
        "bob~b0b00000: it was (edited)",
    ]
    first, deleted, reply, _ = map(json.loads, run_here("history --json", listener.env).stdout.splitlines())
    assert (first["text"], first["edited"], deleted["deleted"], reply["re"]) == ("first", True, True, "1")
    assert [*reply["reactions"]] == ["👍"]
    colored = run_here("history --search first", listener.env | {"CLICOLOR_FORCE": "1"}).stdout
    assert "\x1b[1;31mfirst\x1b[0m" in colored


@terminal.NEEDED
def test_a_terminal_names_what_a_message_refers_to_and_what_it_shows_is_read(
    listener: Person, speaker: Client, room: str
) -> None:
    now = datetime.now(UTC)
    save(
        file(listener),
        message("it works", "1", room=room)._replace(received=now - timedelta(hours=3)),
        message("great", "2", room=room, re="1")._replace(received=now - timedelta(minutes=9)),
    )
    with on_a_terminal([*COMMAND, "sub", "-r", room, "--since", "1h"], listener.env) as process:
        shown = read_until(process, b"great")
        assert b'b0b00000 (to bob~b0b00000 "it works"): great' in plain(shown)
        speaker.publish(room, "live")
        read_until(process, b"live")
        wait_until(lambda: unread(listener) == {room: 0})
        type_in(process, b"\x03")
        read_rest(process)
    with on_a_terminal([*COMMAND, "sub", "-r", room, "-C", "1", "--grep", "2"], listener.env) as process:
        read_until(process, b"Receiving")
        speaker.publish(room, "unread 1")
        speaker.publish(room, "printed 2")
        assert b"unread" not in read_rest(process)
    assert unread(listener) == {room: 2}
    hear(listener, speaker, room, "into a pipe")
    assert unread(listener) == {room: 3}


def plain(shown: bytes) -> bytes:
    """What the screen shows, without colors and in lines that are not broken."""
    return re.sub(rb"\x1b\[[\d;]*m|\r\n    [|] ", b"", shown)


def unread(person: Person) -> dict[str, int]:
    with History(file(person)) as history:
        return {one.room: one.unread for one in history.rooms()}


@pytest.mark.parametrize(
    ("options", "ends", "told"),
    [
        ("--since someday", 2, "'someday' is not a time: use 30m, 2h"),
        ("--since today --until 2020-01-01", 2, "--since is later than --until"),
        ("--search '\"open'", 2, "a quotation mark is not closed"),
        ("-u nobody", 3, "no history of nobody yet"),
        ("-n 0", 2, "from 1 to"),
    ],
)
def test_a_mistake_is_explained(listener: Person, options: str, ends: int, told: str) -> None:
    assert told in run_here(f"history {options}", listener.env, ends=ends).stderr


def test_only_commands_that_need_the_history_load_it(listener: Person, room: str) -> None:
    env = listener.env | {"PYTHONPROFILEIMPORTTIME": "1"}
    for line, ends in (
        (f"pub -r {room} -m hello --no-history", 0),
        (f"sub -r {room} --no-history -W 0.1", 8),
    ):
        loaded = run(line, env, ends=ends).stderr
        assert "aws_iot.messaging.client" in loaded
        assert "aws_iot.history" not in loaded
        assert "sqlite3" not in loaded


def test_pub_loads_the_history_while_it_connects(listener: Person, room: str) -> None:
    loaded = run(f"pub -r {room} -m hello", listener.env | {"PYTHONPROFILEIMPORTTIME": "1"}).stderr
    before, _, after = loaded.partition("aws_iot.aws.iot.connection\n")
    assert "aws_iot.history.saving.recorder" in after
    assert "aws_iot.history.saving.recorder" not in before
    assert "sqlite3" not in before


@terminal.NEEDED
def test_a_terminal_gets_a_pager_if_messages_do_not_fit_and_they_are_read_then(
    listener: Person, tmp_path: Path
) -> None:
    save(file(listener), *(message(f"number {number}", f"{number}", at=number) for number in range(30)))
    pager = tmp_path / "pager.py"
    pager.write_text(
        "import sys; text = sys.stdin.read(); print('PAGED', text.count(chr(10)), repr(text[-20:]))"
    )
    env = listener.env | {"PAGER": shlex.join([sys.executable, str(pager)]), "LINES": "10", "COLUMNS": "80"}
    env |= {"TERM": "xterm"}

    def on_screen(line: str) -> str:
        with terminal.on_a_terminal([*COMMAND, *shlex.split(line)], env) as process:
            return terminal.read_rest(process).decode()

    def unread() -> int:
        return int(json.loads(run_here("history rooms --json", env).stdout)["unread"])

    run_here("history lobby", env)
    assert "PAGED" not in on_screen("history -n 9 --from bob")
    assert unread() == 30
    shown = on_screen("history -n 12")
    assert "PAGED 12" in shown
    assert "number 29" in shown
    assert "\\x1b[" in shown  # colors, and nothing else, reach the pager
    assert unread() == 0
    assert "PAGED" not in on_screen("history -n 12 --no-pager")
    save(file(listener), message("\x1b[31m", "red", at=99))
    for form in ("csv", "markdown"):
        assert r"\x1b" in on_screen(f"history export --format {form} --since 2000-01-01")
