"""The examples, run as their users run them."""

import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aws_iot.api import connect_with
from aws_iot.messaging.client import Client
from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import PASSWORD, Person, Running, Stack, environment
from tests.waiting import DEADLINE_SECONDS

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell, signals and process groups")

Start = Callable[..., Running]


def receive(client: Client, room: str, sender: str, count: int) -> list[str]:
    """The next `count` texts that `sender` sends to `room`."""
    texts: list[str] = []
    for message in client.messages(room, timeout=DEADLINE_SECONDS):
        if (message.room, message.sender) == (room, sender):
            texts.append(message.text)
        if len(texts) == count:
            return texts
    raise AssertionError(f"{count} texts of {sender} were expected in {room}; these arrived: {texts}")


@pytest.fixture(scope="module")
def ann(stack: Stack) -> Iterator[Client]:
    """A member, in this process."""
    person = stack.person()
    with connect_with(stack.app(), stack.profile, person.username, PASSWORD, None) as client:
        yield client


@pytest.fixture(scope="module")
def member(stack: Stack) -> Person:
    """The user of the bot and the device."""
    return stack.person()


@pytest.fixture(scope="module")
def stranger(stack: Stack) -> Person:
    """A user whom no admin has accepted."""
    return stack.person(accepted=False)


@pytest.fixture
def start() -> Iterator[Start]:
    """`start("bot.py", "lobby", env)` runs an example; neither it nor its children outlive the test."""
    started: list[Running] = []

    def begin(example: str, arguments: str, env: dict[str, str]) -> Running:
        interpreter = "sh" if example.endswith(".sh") else sys.executable
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        process = Running(
            arguments,
            env | {"PATH": path},
            command=[interpreter, str(REPOSITORY / "examples" / example)],
            process_group=None if os.name == "nt" else 0,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if os.name != "nt" and not nothing_is_left_of(process):
            os.killpg(process.process.pid, signal.SIGKILL)
        process.kill()


def nothing_is_left_of(example: Running) -> bool:
    """Whether all its child processes have ended, too."""
    try:
        os.killpg(example.process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def room(ann: Client) -> str:
    """A room that no other test uses; Ann is in it."""
    room = f"room-{uuid.uuid4().hex[:8]}"
    ann.subscribe(room)
    return room


@pytest.fixture
def bot(start: Start, member: Person, room: str) -> Running:
    """The bot, listening."""
    bot = start("bot.py", room, member.env)
    bot.wait_for("^Receiving")
    return bot


def test_the_bot_answers_once_and_never_itself(ann: Client, bot: Running, member: Person, room: str) -> None:
    ann.publish(room, "!ping")
    assert receive(ann, room, member.identity, 1) == ["pong"]
    ann.publish(room, "!echo !time")
    assert receive(ann, room, member.identity, 1) == ["!time"]
    # The bot receives its own message before any later one: an answer to itself would arrive first.
    ann.publish(room, "!echo the end")
    assert receive(ann, room, member.identity, 1) == ["the end"]


def test_the_bot_treats_messages_only_as_text(
    ann: Client, bot: Running, member: Person, room: str, tmp_path: Path
) -> None:
    texts = ["-", f"$(touch {tmp_path}/owned) `id` ; 'a' \"b\" \\ ☂"]
    for text in ("-", "!nonsense", "ping", *(f"!echo {text}" for text in texts)):
        ann.publish(room, text)
    for payload in (b"\xff", b"!echo " + b"\xff" * 128_000, b'{"msg":"!echo half a character: \\ud83d"}'):
        ann.publish(room, payload)
    assert receive(ann, room, member.identity, 3) == [*texts, "half a character: ?"]
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_bot(bot: Running, number: int) -> None:
    assert bot.signal(number) == 0, bot.report()
    assert nothing_is_left_of(bot)
    assert "Traceback" not in bot.report()


def test_the_bot_stops_if_it_is_not_accepted(start: Start, stranger: Person) -> None:
    bot = start("bot.py", "lobby", stranger.env)
    assert bot.wait() == 5, bot.report()
    bot.wait_for("aws-iot admin accept")
    assert "Traceback" not in bot.report()


def test_the_reports_of_the_device_arrive(start: Start, ann: Client, member: Person, room: str) -> None:
    ann.subscribe(f"devices/{room}")
    device = start("device.py", f"--name {room} --interval 0.1 --count 2", member.env)
    readings = [json.loads(text) for text in receive(ann, f"devices/{room}", member.identity, 2)]
    assert [list(reading) for reading in readings] == [["load_1min", "up_seconds", "disk_free_bytes"]] * 2
    assert readings[0]["up_seconds"] <= readings[1]["up_seconds"]
    assert device.wait() == 0, device.report()


def test_the_device_exits_with_the_code_of_a_failed_report(start: Start, stranger: Person) -> None:
    device = start("device.py", "--name x --interval 60", stranger.env)
    assert device.wait() == 5, device.report()


@pytest.fixture(scope="module")
def profiles(
    stack: Stack, member: Person, stranger: Person, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a user with profiles of two members, `alice` and `bob`, and of `stranger`."""
    env = environment(tmp_path_factory.mktemp("two-people"))
    exports = stack.folder / "aws-exports.json"
    for key, person in (("alice", member), ("bob", stack.person()), ("stranger", stranger)):
        run_here(f"config -s {exports} -k {key} -u {person.username} -p {PASSWORD}", env)
    return env


@pytest.fixture
def two_people(start: Start, profiles: dict[str, str], tmp_path: Path) -> Callable[[str], Running]:
    """Runs the script; its temporary files would be in `tmp_path`."""
    # The user of the script may have set variables, which must not turn the two people into one.
    own = {"AWS_IOT_USER": "x", "AWS_IOT_PASSWORD": "x", "AWS_IOT_QUIET": "1", "TMPDIR": str(tmp_path)}
    return lambda arguments: start("two_people.sh", arguments, profiles | own)


@POSIX
def test_one_person_receives_what_the_other_sends(
    two_people: Callable[[str], Running], ann: Client, room: str, tmp_path: Path
) -> None:
    script = two_people(f"alice bob {room}")
    assert script.wait() == 0, script.report()
    messages = [json.loads(line) for line in script.stdout if line.startswith('{"')]
    assert [message["text"].split()[0] for message in messages] == ["Hello!", "Is", "Bye."]
    assert receive(ann, room, messages[0]["sender"], 3) == [message["text"] for message in messages]
    assert nothing_is_left_of(script)
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize(("people", "code"), [("alice stranger", 5), ("stranger alice", 5), ("alice", 2)])
def test_the_script_exits_like_the_command_that_fails_and_cleans_up(
    two_people: Callable[[str], Running], tmp_path: Path, people: str, code: int
) -> None:
    script = two_people(people)
    assert script.wait() == code, script.report()
    assert nothing_is_left_of(script)
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_script_and_its_children(
    two_people: Callable[[str], Running], tmp_path: Path, number: int, code: int
) -> None:
    script = two_people("alice bob")
    script.wait_for("^Receiving")
    os.killpg(script.process.pid, number)  # as Ctrl-C in a terminal does
    assert script.wait() == code, script.report()
    assert nothing_is_left_of(script)
    assert list(tmp_path.iterdir()) == []
