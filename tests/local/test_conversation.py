"""People answer, edit, delete and react with `pub`, and programs that know no such thing take part."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.profile_store import ProfileStore
from aws_iot.messaging.client import Client
from aws_iot.messaging.message import Message
from tests.histories import message, save
from tests.in_process import run_here
from tests.paho_client import PahoClient
from tests.processes import COMMAND, Person, Running, Stack
from tests.waiting import DEADLINE_SECONDS, wait_until


@pytest.fixture
def alice(stack: Stack) -> Person:
    """Who has no history yet."""
    return stack.person()


@pytest.fixture
def npm_tool(stack: Stack) -> Iterator[tuple[PahoClient, str]]:
    """A client that connects as the npm tool does, and its identity."""
    person = stack.person()
    credentials = stack.app().auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    client = PahoClient(stack, credentials, MQTTProtocolVersion.MQTTv31, f"{person.identity}-1a2b3c4d")
    client.connect()
    yield client, person.identity
    client.close()


def pub(person: Person, options: str, *, ends: int = 0) -> str:
    """What `pub` prints to stderr."""
    return run_here(f"pub {options}", person.env, ends=ends).stderr


def sent(person: Person, options: str) -> dict[str, str]:
    """The message that `pub` has sent."""
    line: dict[str, str] = json.loads(run_here(f"pub --json {options}", person.env).stdout)
    return line


def history(person: Person, options: str = "") -> list[dict[str, object]]:
    shown = run_here(f"history --json {options}", person.env).stdout
    return [json.loads(line) for line in shown.splitlines()]


def received(client: Client, room: str, count: int) -> list[Message]:
    """The next messages of a room."""
    messages = (one for one in client.messages(timeout=DEADLINE_SECONDS) if one.room == room)
    return [next(messages) for _ in range(count)]


def test_what_you_send_is_saved_answered_edited_and_deleted(
    alice: Person, speaker: Client, room: str
) -> None:
    speaker.subscribe(room)
    assert "Sent to" in pub(alice, f"-r {room} -m hello")
    pub(alice, "--reply-to last -m 'and all'")
    [first, reply] = history(alice)
    assert [first["text"], reply["text"], reply["re"]] == ["hello", "and all", first["id"]]
    beginning = str(first["id"])[:8]
    pub(alice, f"--edit {beginning} -m 'hello, you'")
    reaction = sent(alice, f"--react 👍 {beginning}")
    pub(alice, "--delete last")
    arrived = received(speaker, room, 5)
    assert [(one.text, one.kind, one.re) for one in arrived] == [
        ("hello", None, None),
        ("and all", None, first["id"]),
        ("hello, you", "edit", first["id"]),
        ("👍", "react", first["id"]),
        ("(message deleted)", "delete", reply["id"]),
    ]
    assert (reaction["id"], reaction["kind"], reaction["re"]) == (arrived[3].id, "react", first["id"])
    [first, reply] = history(alice)
    assert (first["text"], first["edited"], first["reactions"]) == (
        "hello, you",
        True,
        {"👍": [alice.identity]},
    )
    assert reply["deleted"]
    pub(alice, f"--delete {reaction['id']}")
    assert "reactions" not in history(alice)[0]


def test_what_sub_of_the_same_person_receives_is_saved_once(alice: Person, room: str) -> None:
    receiving = Running(f"sub -r {room} -C 3 --json", alice.env)
    try:
        receiving.wait_for("Receiving")
        pub(alice, f"-r {room} -m one")
        run_here(f"pub -r {room} --lines", alice.env, stdin="two\nthree\n")
        assert receiving.wait() == 0, receiving.report()
    finally:
        receiving.kill()
    printed, saved = [json.loads(line) for line in receiving.stdout], history(alice)
    assert [one["text"] for one in printed] == ["one", "two", "three"]
    for one in (*printed, *saved):
        del one["received"]
    assert printed == saved


def test_people_with_the_npm_tool_take_part_in_a_conversation(
    alice: Person, stack: Stack, npm_tool: tuple[PahoClient, str], room: str
) -> None:
    pool, (client, identity) = stack.profile.identity_pool_id, npm_tool
    client.subscribe(f"{pool}/{room}/#", qos=0)
    receiving = Running(f"sub -r {room} -C 2", alice.env)
    try:
        receiving.wait_for("Receiving")
        for text in (b'{"msg":"anybody here?"}', b'{"msg":"yes"}'):
            client.mqtt.publish(f"{pool}/{room}/{identity}", text, qos=0)
        assert receiving.wait() == 0, receiving.report()
    finally:
        receiving.kill()
    [question, _] = history(alice)
    assert question["id"] is None
    derived = str(question["derived_id"])
    pub(alice, f"--reply-to {derived[:9]} -m 'I am'")
    pub(alice, "--edit last -m 'We are'")
    pub(alice, f"--react 🎉 {derived}")
    pub(alice, "--delete last")
    wait_until(lambda: len(client.payloads) == 6)
    assert client.payloads[2:] == [
        b'{"msg":"I am"}',
        b'{"msg":"We are"}',
        '{"msg":"🎉"}'.encode(),
        b'{"msg":"(message deleted)"}',
    ]
    question, _, reply = history(alice)
    assert question["reactions"] == {"🎉": [alice.identity]}
    assert (reply["re"], reply["deleted"]) == (derived, True)
    assert "only its sender can edit it" in pub(alice, f"--edit {derived} -m no", ends=5)


@pytest.mark.parametrize(
    ("options", "ends", "told"),
    [
        ("--edit {hers} -m no", 5, "only its sender can edit it"),
        ("--delete {hers}", 5, "only its sender can delete it"),
        (
            "--edit 77777777 -m x",
            3,
            "begins with '77777777' To see the IDs of messages: aws-iot history --ids",
        ),
        ("--reply-to same -m x", 3, "several messages have IDs that begin with 'same': type more of it"),
        ("-r lobby --edit 77777777 -m x", 3, "To see the IDs of messages: aws-iot history lobby --ids"),
        ("--edit {deleted} -m x", 7, "the message was deleted"),
        ("-r other --reply-to {hers} -m x", 3, "no message in other has an ID"),
        ("--react {hers} 👍", 3, "The emoji comes before the ID: --react 👍 ID"),
        ("-r other --delete last", 3, "no message of yours in other"),
        ("--reply-to last -m x --no-history", 2, "Without a history, name the message by its whole ID"),
        ("-r lobby --react 👍 ''", 2, "Invalid value for '--react': it is empty"),
        ("--react '\x1b[31m' last", 2, "a reaction is an emoji or a short word"),
        ("--edit last", 2, "Nothing to send: give the new text with -m TEXT"),
        ("--edit last --delete last", 2, "--edit and --delete exclude each other"),
        ("--react 👍 last -m hello", 2, "--react cannot be combined with -m"),
        ("--edit last --lines", 2, "--edit cannot be combined with --lines"),
        ("--edit last -m x --retain", 2, "--retain cannot be combined with --react, --edit or --delete"),
        (f"--react {'x' * 33} last", 2, "a reaction is an emoji or a short word"),
    ],
)
def test_a_mistake_is_explained_before_anything_is_sent(
    conversation: Person, options: str, ends: int, told: str
) -> None:
    before = history(conversation)
    names = {"hers": "bob-1", "deleted": "gone-1"}
    assert told in " ".join(pub(conversation, options.format(**names), ends=ends).split())
    assert history(conversation) == before


@pytest.fixture(scope="module")
def conversation(stack: Stack) -> Person:
    """Somebody with a history."""
    person = stack.person()
    path = stack.app().history.file(stack.profile._replace(key="local"), person.identity)
    path = Path(person.env["AWS_IOT_CONFIG_DIR"], "history", "local", path.name)
    save(
        path,
        message("hers", "bob-1"),
        message("one", "same-1"),
        message("two", "same-2"),
        message("mine", "gone-1", sender=person.identity),
        message("", "gone-2", sender=person.identity, kind="delete", re="gone-1"),
        message("mine, too", "mine-1", sender=person.identity),
    )
    return person


def test_a_reply_waits_in_a_spool_with_what_it_answers(
    conversation: Person, speaker: Client, tmp_path: Path
) -> None:
    env = conversation.env | {"AWS_IOT_SPOOL": str(tmp_path / "spool")}
    profiles = ProfileStore(Path(conversation.env["AWS_IOT_CONFIG_DIR"], "profiles"))
    reachable = profiles.load("local")
    profiles.replace("local", reachable._replace(endpoint=Endpoint("127.0.0.1", 1)))
    try:
        run_here("pub --reply-to bob-1 -m 'of course' --timeout 0.1", env, ends=6)
    finally:
        profiles.replace("local", reachable)
    assert history(conversation, "-n 1")[0]["text"] == "mine, too"
    speaker.subscribe("lobby")
    run_here("pub", env)
    [arrived] = received(speaker, "lobby", 1)
    assert (arrived.text, arrived.re) == ("of course", "bob-1")
    [last] = history(conversation, "-n 1")
    assert (last["text"], last["re"], last["id"]) == ("of course", "bob-1", arrived.id)


def test_without_a_history_a_whole_id_and_a_room_are_taken_as_they_are(
    alice: Person, speaker: Client, room: str
) -> None:
    speaker.subscribe(room)
    pub(alice, f"-r {room} --reply-to 1234-5 -m yes --no-history")
    assert received(speaker, room, 1)[0].re == "1234-5"
    assert "has no history" in run_here("history", alice.env, ends=3).stderr


def test_each_line_of_a_stream_is_printed_with_its_id_once_it_is_saved(alice: Person, room: str) -> None:
    lines = "".join(f"{number}\n" for number in range(50))
    done = run_here(f"pub -r {room} --lines --json --reply-to 1 --no-history", alice.env, stdin=lines)
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["text"], one["re"]) for one in printed] == [(str(number), "1") for number in range(50)]
    assert len({one["id"] for one in printed}) == 50
    done = run_here(f"pub -r {room} --lines --json", alice.env, stdin=lines)
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in printed] == [one["id"] for one in history(alice, "-n 50")]


def test_nothing_is_sent_if_what_was_sent_could_not_be_printed(alice: Person, room: str) -> None:
    command = [sys.executable, "-c", "import os, sys; os.close(1); os.execvp(sys.argv[1], sys.argv[1:])"]
    line = [sys.executable, "-m", "aws_iot", "pub", "-r", room, "-m", "hello", "--json"]
    done = subprocess.run([*command, *line], env=alice.env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "Error: standard output is closed\n")


def test_a_killed_pub_has_saved_what_it_printed(alice: Person, room: str) -> None:
    endless = [sys.executable, "-c", "while True: print('hello')"]
    source = subprocess.Popen(endless, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    command = [*COMMAND, "pub", "-r", room, "--lines", "--json", "--rate", "0"]
    sending = subprocess.Popen(command, env=alice.env, stdin=source.stdout, stdout=subprocess.PIPE, text=True)
    assert sending.stdout
    assert source.stdout
    source.stdout.close()
    try:
        lines = [sending.stdout.readline() for _ in range(300)]
        sending.kill()
        lines += sending.stdout.read().splitlines(keepends=True)
    finally:
        for process in (sending, source):
            process.kill()
            process.wait()
        sending.stdout.close()
    printed = {json.loads(line)["id"] for line in lines if line.endswith("\n")}
    assert len(printed) >= 300
    assert printed <= {one["id"] for one in history(alice, "-n 100000")}
