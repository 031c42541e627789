"""Who is here, as real chats tell each other on the local stack, and what other programs see of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from aws_iot.app import App
from aws_iot.config.endpoint import Endpoint
from tests import terminal
from tests.fault_proxy import FaultProxy
from tests.in_process import run_here
from tests.paho_client import PahoClient
from tests.processes import Person, Running, Stack
from tests.screens import TerminalScreen, on_a_screen
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = terminal.NEEDED


def short(person: Person) -> str:
    return person.identity.partition(":")[2][:8]


def is_online(person: Person, screen: TerminalScreen) -> bool:
    return re.search(rf"● \S+~{short(person)}", screen.text) is not None


def until_online(person: Person, screen: TerminalScreen) -> None:
    wait_until(lambda: is_online(person, screen), lambda: screen.text)


def until_gone(person: Person, screen: TerminalScreen) -> None:
    wait_until(lambda: not is_online(person, screen), lambda: screen.text)


def quit_chat(screen: TerminalScreen, keys: str = "\x11") -> None:
    screen.type(keys)
    assert screen.process.wait(DEADLINE_SECONDS) == 0


def test_chats_see_each_other_come_and_go_also_after_a_crash_or_a_lost_connection(
    stack: Stack, room: str
) -> None:
    alice, bob = stack.person(), stack.person()
    profiles = App.in_folder(Path(bob.env["AWS_IOT_CONFIG_DIR"])).config.profiles
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
        profiles.replace("local", stack.profile._replace(endpoint=endpoint))
        with on_a_screen(f"chat {room}", alice.env, 100) as one:
            one.wait_for("● online")
            with on_a_screen(f"chat {room}", bob.env, 100) as other:
                until_online(bob, one)
                until_online(alice, other)  # by an answer
                quit_chat(other)
                until_gone(bob, one)
            with on_a_screen(f"chat {room}", bob.env, 100) as again:
                until_online(bob, one)
                proxy.refuse()
                proxy.cut()
                until_gone(bob, one)
                proxy.admit()
                until_online(bob, one)
                again.kill()
                until_gone(bob, one)


@pytest.fixture
def npm_tool(stack: Stack) -> Iterator[PahoClient]:
    """A client that connects as the npm tool does, and receives every room."""
    person = stack.person()
    credentials = stack.app().auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    client = PahoClient(stack, credentials, MQTTProtocolVersion.MQTTv31, f"{person.identity}-1a2b3c4d")
    client.connect()
    client.subscribe(f"{stack.profile.identity_pool_id}/#", qos=0)
    yield client
    client.close()


def test_sub_and_the_history_see_nothing_of_presence_and_the_npm_tool_short_texts(
    stack: Stack, room: str, npm_tool: PahoClient
) -> None:
    alice, bob, carol = stack.person(), stack.person(), stack.person()
    sub = Running(f"sub -r {room} --json", carol.env)
    try:
        sub.wait_for(room)
        with on_a_screen(f"chat {room} elsewhere-{room}", alice.env, 100) as one:
            one.wait_for("● online")
            with on_a_screen(f"chat {room} --plain", bob.env, 100) as other:
                until_online(bob, one)
                other.type("/who\r")
                other.wait_for("Online: ")
                other.type("the only message\r")
                one.wait_for_message("the only message")
                sub.wait_for("the only message")
                quit_chat(other, "/quit\r")
                assert not re.search(r"\((joined|online|offline)\)", other.text)
            until_gone(bob, one)
            quit_chat(one)
    finally:
        sub.kill()
    assert len(sub.stdout) == 1
    found = run_here(f"history {room} --json", alice.env).stdout.splitlines()
    assert [json.loads(line)["text"] for line in found] == ["the only message"]

    def seen() -> list[bytes]:
        own = f"/{room}/{bob.identity}"
        return [bytes(message.payload) for message in npm_tool.messages if message.topic.endswith(own)]

    wait_until(lambda: seen()[-1:] == [b'{"msg":"(offline)"}'], seen)
    first, *others = seen()
    assert first == b'{"msg":"(joined)"}'
    answer = b'{"msg":"(online)"}'  # if the other chat asks only now
    assert [one for one in others if one != answer] == [b'{"msg":"the only message"}', b'{"msg":"(offline)"}']
