"""The Python API on the local stack: the programs of docs/python.md, and what a client promises."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import aws_iot
from aws_iot.errors import InvalidMessage
from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import PASSWORD, Person, Running, Stack
from tests.waiting import DEADLINE_SECONDS

PAGE = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
PROGRAMS = dict(re.findall(r"<!-- program: (\w+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process and its children have a settings folder of their own."""
    monkeypatch.setenv("AWS_IOT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_IOT_SECRETS", "file")
    return tmp_path / "config"


@pytest.fixture
def bob(stack: Stack) -> Iterator[aws_iot.Client]:
    """Another member."""
    person = stack.person()
    with aws_iot.connect(stack.profile, user=person.username, password=PASSWORD) as client:
        yield client


@pytest.fixture
def alice(stack: Stack, config: Path) -> Person:
    """A member who is signed in with the profile `default`."""
    person = stack.person(signed_in=False)
    env = person.env | {"AWS_IOT_CONFIG_DIR": str(config), "AWS_IOT_PROFILE": "default"}
    run_here(f"config -s {stack.folder / 'aws-exports.json'} -u {person.username}", env)
    run_here("login", env)
    return replace(person, env={k: v for k, v in env.items() if k != "AWS_IOT_PASSWORD"})


def start(name: str, person: Person) -> Running:
    """A program of docs/python.md."""
    return Running("", person.env, command=[sys.executable, "-c", PROGRAMS[name]])


def test_the_page_has_four_programs() -> None:
    assert list(PROGRAMS) == ["ask", "send", "work", "conversation"]


def test_the_first_program_prints_the_answer_of_another_member(alice: Person, bob: aws_iot.Client) -> None:
    questions = bob.messages("lobby", timeout=DEADLINE_SECONDS)
    program = start("ask", alice)
    try:
        question = next(questions)
        assert (question.text, question.sender) == ("Is anyone on call?", alice.identity)
        bob.publish("lobby", "I am.")
        assert program.wait() == 0, program.report()
        assert program.stdout == [f"{bob.username}: I am."]
        assert program.stderr == []
    finally:
        program.kill()


def test_the_second_program_sends_every_line_of_its_input(alice: Person, bob: aws_iot.Client) -> None:
    messages = bob.messages("logs", timeout=DEADLINE_SECONDS)
    lines = [str(number) for number in range(150)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAMS["send"]],
        env=alice.env,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("The broker acknowledged 150 messages.\n", "")
    assert [next(messages).text for _ in lines] == lines


def test_the_third_program_gets_every_job_once_even_those_sent_while_it_is_offline(
    alice: Person, bob: aws_iot.Client
) -> None:
    with aws_iot.connect("default", durable="worker") as client:
        client.subscribe("jobs")
    for text in ("one", "stop", "two", "stop"):
        bob.publish("jobs", text)
    for first in ("one", "two"):
        program = start("work", alice)
        try:
            assert program.wait() == 0, program.report()
            assert program.stdout == [f"Working on {first}", "Working on stop"]
        finally:
            program.kill()


def test_the_fourth_program_takes_part_in_a_conversation(alice: Person, bob: aws_iot.Client) -> None:
    messages = bob.messages("lobby", timeout=DEADLINE_SECONDS)
    program = start("conversation", alice)
    try:
        question, edit = next(messages), next(messages)
        assert (edit.text, edit.kind, edit.re) == ("Lunch at 12:30?", "edit", question.id)
        answer = bob.reply(question, "Fine.")
        assert next(messages).id == answer.id
        reaction, reply = next(messages), next(messages)
        assert [(one.text, one.kind, one.re) for one in (reaction, reply)] == [
            ("👍", "react", answer.id),
            ("See you there.", None, answer.id),
        ]
        assert program.wait() == 0, program.report()
        assert program.stdout == [
            f"{alice.username}: Lunch at 12:30?",
            f"{bob.username}: Fine. 👍",
            f"{alice.username}: See you there.",
        ]
    finally:
        program.kill()


def test_the_third_program_prints_an_error_and_exits_with_its_code(stack: Stack, alice: Person) -> None:
    run_here("logout", alice.env)
    program = start("work", alice)
    try:
        assert program.wait() == 4, program.report()
        assert program.stdout == []
        assert "aws-iot login" in program.report()
        assert "Traceback" not in program.report()
    finally:
        program.kill()


def test_a_client_sends_and_receives_text_and_bytes(stack: Stack, bob: aws_iot.Client, room: str) -> None:
    messages = bob.messages(room, timeout=DEADLINE_SECONDS)
    bob.publish(room, "hello ☂")
    bob.publish(room, b"\xff", qos=0)
    hello, raw = next(messages), next(messages)
    assert (hello.room, hello.sender, hello.name, hello.text) == (
        room,
        bob.identity,
        bob.username,
        "hello ☂",
    )
    assert (raw.payload, raw.qos) == (b"\xff", 0)


def test_messages_end_after_the_timeout(bob: aws_iot.Client, room: str) -> None:
    assert list(bob.messages(room, timeout=0.2)) == []


def test_what_is_wrong_with_a_message_is_raised_and_the_client_goes_on(
    bob: aws_iot.Client, room: str
) -> None:
    with pytest.raises(aws_iot.ServiceRefused, match="wildcard"):
        bob.publish("#", "hello")
    with pytest.raises(InvalidMessage):
        bob.publish(room, "x" * 200_000)
    bob.publish(room, "hello")


def test_a_message_may_have_exactly_128_kilobytes(bob: aws_iot.Client, room: str) -> None:
    messages = bob.messages(room, timeout=DEADLINE_SECONDS)
    for largest in (b"x" * 128 * 1024, "é" * (64 * 1024 - 5)):
        bob.publish(room, largest)
        assert len(next(messages).payload) == 128 * 1024
    with pytest.raises(InvalidMessage, match="131,073 bytes on the wire: the limit is 131,072 bytes"):
        bob.publish(room, b"x" * (128 * 1024 + 1))


def test_many_messages_stop_at_the_first_that_is_rejected(bob: aws_iot.Client, room: str) -> None:
    messages = bob.messages(room, timeout=DEADLINE_SECONDS)
    with pytest.raises(InvalidMessage, match="131,072"):
        aws_iot.publish_many(bob, room, ["one", "two", "x" * 200_000, "four"])
    assert aws_iot.publish_many(bob, room, ["five"], rate=0) == 1
    assert [next(messages).text for _ in range(3)] == ["one", "two", "five"]


def test_messages_that_arrive_during_publish_many_are_received_afterwards(
    bob: aws_iot.Client, room: str
) -> None:
    messages = bob.messages(room, timeout=DEADLINE_SECONDS)
    texts = [str(number) for number in range(300)]
    assert aws_iot.publish_many(bob, room, texts, rate=0) == 300
    assert [next(messages).text for _ in texts] == texts


def test_an_unacknowledged_message_of_a_durable_session_is_delivered_again(
    alice: Person, bob: aws_iot.Client, room: str
) -> None:
    def receive(last: str, fails_at: str = "") -> list[str]:
        texts: list[str] = []
        with aws_iot.connect("default", durable=room) as client:
            for message in client.messages(room, timeout=DEADLINE_SECONDS):
                texts.append(message.text)
                if message.text == fails_at:
                    raise ZeroDivisionError
                if message.text == last:
                    break
        return texts

    with aws_iot.connect("default", durable=room) as client:
        client.subscribe(room)
    for text in ("one", "two", "three"):
        bob.publish(room, text)
    with pytest.raises(ZeroDivisionError):
        receive("three", fails_at="two")
    assert receive("three") == ["two", "three"]
    bob.publish(room, "four")
    assert receive("four") == ["four"]


def test_nobody_is_signed_in(stack: Stack) -> None:
    with pytest.raises(aws_iot.SignInRefused) as refused:
        aws_iot.connect(stack.profile)
    assert "aws-iot login" in (refused.value.hint or "")


def test_there_is_no_profile() -> None:
    with pytest.raises(aws_iot.ProfileNotFound):
        aws_iot.connect("nope")


def test_no_admin_has_accepted_the_user(stack: Stack) -> None:
    stranger = stack.person(accepted=False)
    with pytest.raises(aws_iot.NotAuthorized):
        aws_iot.connect(stack.profile, user=stranger.username, password=PASSWORD)
