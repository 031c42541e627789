"""Real chats, side by side on the local stack, as people see them."""

import json
import shlex
import signal
import sys
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.config.endpoint import Endpoint
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Publication
from aws_iot.messaging.kinds import PRESENCE, Sign
from aws_iot.messaging.message import decode
from aws_iot.messaging.topics import topic, topic_filter
from tests import terminal
from tests.fault_proxy import FaultProxy
from tests.in_process import run_here
from tests.processes import COMMAND, Stack
from tests.screens import TerminalScreen, on_a_screen, shell_on_a_screen
from tests.unit.test_output import HOSTILE
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = terminal.NEEDED


def test_two_people_talk_and_a_killed_chat_loses_nothing(stack: Stack, room: str) -> None:
    alice, bob = stack.person(), stack.person()
    with on_a_screen(f"chat {room}", alice.env) as one:
        one.wait_for("● online")
        with on_a_screen(f"chat {room}", bob.env, 40, 12) as other:
            other.wait_for("● online")
            one.type("hello from the first\r")
            other.wait_for_message("hello from the first")
            other.type("an answer\r")
            one.wait_for_message("an answer")
            assert f"{alice.username}~{alice.identity.partition(':')[2][:8]}" in other.text
            other.type("half a message")
            other.wait_for("half a message")
            other.wait_until_gone("│")
            other.resize(100, 20)
            other.wait_for("│")
            for columns in (30, 140, 50, 41, 99, 40):  # no size may confuse it
                other.resize(columns, 12)
            other.wait_until_gone("│")
            other.wait_for_message("an answer")
            other.wait_for("half a message")
            saved = stack.config.parent / "people" / bob.username / "chat"
            wait_until(lambda: any("half a message" in path.read_text() for path in saved.rglob("*.json")))
            other.kill()
        one.type("while you were away\r")
        one.wait_for_message("while you were away")
        with on_a_screen(f"chat {room}", bob.env) as again:
            again.wait_for("half a message")
            again.wait_for_message("an answer")
            again.wait_for("● online")
            again.type("\r")
            one.wait_for_message("half a message")
            again.type("\x11")
            assert again.process.wait(DEADLINE_SECONDS) == 0
    config = App.in_folder(Path(bob.env["AWS_IOT_CONFIG_DIR"])).config
    assert room in config.known_names(stack.profile.key).rooms()  # which the Tab key completes
    found = run_here(f"history {room} --json", alice.env).stdout.splitlines()
    texts = [line.split('"text": "')[1].split('"')[0] for line in found]
    assert texts == ["hello from the first", "an answer", "while you were away", "half a message"]


def test_no_draft_of_several_chats_of_one_person_is_lost_and_each_is_in_one_of_those_that_start_next(
    stack: Stack, room: str
) -> None:
    alice = stack.person()
    saved = Path(alice.env["AWS_IOT_CONFIG_DIR"]) / "chat"

    def wait_for_saved(text: str) -> None:
        wait_until(lambda: any(text in one.read_text() for one in saved.rglob("*.json")))

    with on_a_screen(f"chat {room}", alice.env) as one, on_a_screen(f"chat {room}", alice.env) as other:
        one.wait_for("● online")
        other.wait_for("● online")
        one.type("of the first one")
        other.type("of the other one, and sent\r")
        one.wait_for_message("of the other one, and sent")
        other.type("of the other one, not sent")
        wait_for_saved("of the first one")
        wait_for_saved("of the other one, not sent")
        one.kill()
        other.type("\x11")
        assert other.process.wait(DEADLINE_SECONDS) == 0
    with on_a_screen(f"chat {room}", alice.env) as one, on_a_screen(f"chat {room}", alice.env) as other:
        one.wait_for("● online")
        other.wait_for("● online")
        for text in ("of the first one", "of the other one, not sent"):
            assert (one.text + other.text).count(text) == 1
    with on_a_screen(f"chat {room}", alice.env) as again:
        again.wait_for(" of the first one")
        again.wait_for(" of the other one, not sent")


def test_a_chat_that_lends_its_terminal_is_stopped_or_loses_it_keeps_the_draft(
    stack: Stack, speaker: Client, room: str, tmp_path: Path
) -> None:
    alice = stack.person()
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "in the terminal: $1" | tee {opened}\n')
    browser.chmod(0o700)
    with on_a_screen(f"chat {room}", alice.env | {"VISUAL": "false", "BROWSER": str(browser)}) as screen:
        screen.wait_for("● online")
        speaker.publish(room, "see https://example.com/x")
        screen.wait_for_message("see https://example.com/x")
        screen.type("\x1bo")
        screen.wait_for("Open this link to example.com")
        screen.type("\r")
        wait_until(
            lambda: opened.exists() and opened.read_text() == "in the terminal: https://example.com/x\n"
        )
        screen.wait_until_gone("in the terminal")
        screen.wait_for_message("see https://example.com/x")
        screen.type("half a message")
        screen.wait_for("half a message")
        screen.stop_and_continue()
        screen.wait_for(room)
        screen.wait_for("half a message")
        screen.type("\x0f")  # Ctrl+O: an editor
        screen.wait_for("The editor ended with 1, so the message is as it was.")
        screen.type("!")
        screen.wait_for("half a message!")
        screen.process.send_signal(signal.SIGHUP)
        assert screen.process.wait(DEADLINE_SECONDS) == 128 + signal.SIGHUP
    with on_a_screen(f"chat {room}", alice.env) as screen:
        screen.wait_for("half a message!")


def test_ctrl_z_goes_back_to_the_shell_and_fg_to_the_chat(stack: Stack, room: str) -> None:
    alice = stack.person()
    with shell_on_a_screen(alice.env) as shell:
        shell.type(f"{shlex.join(COMMAND)} chat {room}\r")
        shell.wait_for("● online")
        shell.type("half a message\x1a")
        shell.wait_for_pattern(r"Stopped|suspended")
        shell.type("echo 'in the '\"shell\"\r")
        shell.wait_for("in the shell")
        shell.type("fg\r")
        shell.wait_for(" half a message")
        shell.type("\r")
        shell.wait_for_message("half a message")
        shell.type("\x11")
        shell.wait_for_pattern(r"\$\n")  # the prompt
        shell.type("exit\r")
        assert shell.process.wait(DEADLINE_SECONDS) == 0


def test_without_a_shell_ctrl_z_stops_nothing(stack: Stack, room: str) -> None:
    with on_a_screen(f"chat {room}", stack.person().env) as screen:
        screen.wait_for("● online")
        screen.type("half a message\x1a")
        screen.type(", and the rest")
        screen.wait_for("half a message, and the rest")
        screen.type("\x11")
        assert screen.process.wait(DEADLINE_SECONDS) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes the limits of a running process")
def test_a_full_disk_is_told_and_nothing_is_lost_when_it_has_room_again(stack: Stack, room: str) -> None:
    import resource

    def limit(screen: TerminalScreen, size: int) -> None:
        resource.prlimit(screen.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    alice = stack.person()
    with on_a_screen(f"chat {room}", alice.env, 300, 30) as screen:  # so that no line is broken
        screen.wait_for("● online")
        limit(screen, 10)  # bytes: as on a full disk, no file can grow
        screen.type("half a message")
        screen.wait_for("drafts and read marks are not saved")
        screen.type("\r")
        screen.wait_for_message("half a message")
        screen.wait_for("messages are not saved")
        screen.type("a draft")
        limit(screen, resource.RLIM_INFINITY)
        screen.wait_for("Messages are saved again, and none is missing.")
        screen.wait_until_gone("not saved")
        screen.wait_until_gone("is lost if the chat ends")
        saved = Path(alice.env["AWS_IOT_CONFIG_DIR"]) / "chat"
        wait_until(lambda: any("a draft" in one.read_text() for one in saved.rglob("*.json")))
        screen.kill()
    with on_a_screen(f"chat {room}", alice.env, 300, 30) as screen:
        screen.wait_for_message("half a message")
        screen.wait_for(" a draft")
        screen.wait_for("● online")
        limit(screen, 10)
        screen.type("\r")
        screen.wait_for_message("a draft")
        screen.wait_for("messages are not saved")
        screen.type("\x11")
        screen.wait_for("1 message that was received is not in the history")
        assert screen.process.wait(DEADLINE_SECONDS) == 0


def test_without_a_terminal_chat_names_the_commands_for_scripts(stack: Stack) -> None:
    done = run_here("chat lobby", stack.person().env, ends=3)
    assert "`chat` needs a terminal" in done.stderr
    assert "aws-iot sub" in done.stderr


def test_the_plain_form_announces_everything_once(stack: Stack, room: str) -> None:
    alice, bob = stack.person(), stack.person()
    with on_a_screen(f"chat {room} --plain", alice.env, 100, 60) as one:
        one.wait_for("Online.")
        with on_a_screen(f"chat {room}", bob.env) as other:
            other.wait_for("● online")
            other.type("hello\x0asecond line\r")
            one.wait_for(": hello\n    | second line")
            one.type("/reply an answer\r")
            other.wait_for("┃ ")
            other.wait_for_message("an answer")
            other.type("/edit hello again\r")
            one.wait_for(" edited: hello again")
            one.type("begun\\\rand ended\r")
            other.wait_for_pattern(r"begun .*\n.*  and ended")
            one.type("/jion x\r")
            one.wait_for("Did you mean /join?")
            other.type("/react 👍\r")
            one.wait_for_pattern(r'Reactions to \S+~\S+ "begun .*": 👍 1')
            one.type("/delete\r")
            one.wait_for("(y/n)")
            one.type("y\r")
            other.wait_for("(deleted)")
        shown = one.text
        assert shown.count("Online.") == shown.count("    | second line") == shown.count("edited: ") == 1
        one.type("/quit\r")
        assert one.process.wait(DEADLINE_SECONDS) == 0


def test_a_chat_that_is_cut_off_sends_and_receives_everything_once_when_it_is_back(
    stack: Stack, speaker: Client, room: str
) -> None:
    alice = stack.person()
    profiles = App.in_folder(Path(alice.env["AWS_IOT_CONFIG_DIR"])).config.profiles
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
        profiles.replace("local", stack.profile._replace(endpoint=endpoint))
        with on_a_screen(f"chat {room}", alice.env) as screen:
            screen.wait_for("● online")
            for number in range(300):  # as fast as the broker takes them
                speaker.publish_nowait(speaker.outgoing(room, f"flood {number}."), lambda _: None)
            screen.wait_for("flood 299.")
            proxy.refuse()
            proxy.cut()
            screen.wait_for("reconnecting")
            screen.type("written offline\r")
            screen.wait_for("○ written offline")
            proxy.admit()
            screen.wait_for("● online")
            screen.wait_for_message("written offline")
            speaker.publish(room, "the end.")
            screen.wait_for("the end.")
            proxy.refuse()
            proxy.cut()
            screen.wait_for("reconnecting")
            screen.type("not sent today\r")
            screen.wait_for("○ not sent today")
            screen.type("taken back\r")
            screen.wait_for("2 waiting")
            screen.type("/discard\r")
            screen.wait_for("1 waiting")
            screen.type("\x11")
            screen.wait_for("1 message is not sent yet. To send: aws-iot chat -k local")
            assert screen.process.wait(DEADLINE_SECONDS) == 0
    lines = run_here(f"history {room} -n 1000 --json", alice.env).stdout.splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert texts == [*(f"flood {number}." for number in range(300)), "written offline", "the end."]


def test_chats_that_are_cut_off_at_the_same_time_miss_nothing(
    stack: Stack, speaker: Client, room: str
) -> None:
    people = [stack.person(), stack.person()]
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
        for person in people:
            profiles = App.in_folder(Path(person.env["AWS_IOT_CONFIG_DIR"])).config.profiles
            profiles.replace("local", stack.profile._replace(endpoint=endpoint))
        with (
            on_a_screen(f"chat {room}", people[0].env) as one,
            on_a_screen(f"chat {room}", people[1].env) as other,
        ):
            for screen in (one, other):
                screen.wait_for("● online")
            proxy.refuse()
            proxy.cut()
            for screen in (one, other):
                screen.wait_for("reconnecting")
            for number in range(20):
                speaker.publish(room, f"meanwhile {number}.")
            one.type("from the first\r")
            one.wait_for("○ from the first")
            proxy.admit()
            for screen in (one, other):
                screen.wait_for("● online")
                screen.wait_for_message("from the first")
                screen.wait_for("meanwhile 19.")
                assert "may be missing" not in screen.text
            for screen in (one, other):
                screen.type("\x11")
                assert screen.process.wait(DEADLINE_SECONDS) == 0
    for person in people:
        lines = run_here(f"history {room} -n 1000 --json", person.env).stdout.splitlines()
        texts = [json.loads(line)["text"] for line in lines]
        assert texts.count("from the first") == 1
        assert [text for text in texts if text != "from the first"] == [
            f"meanwhile {number}." for number in range(20)
        ]


def test_a_message_that_waits_is_sent_once_however_many_chats_of_the_person_run(
    stack: Stack, room: str
) -> None:
    alice, bob = stack.person(), stack.person()
    credentials = stack.app().auth.issuer(stack.profile).issue(stack.sign_in(bob.username))
    connection = stack.app().messaging.connect(stack.profile, bob.identity, lambda: credentials)
    connection.subscribe([topic_filter(stack.profile.identity_pool_id, room, bob.identity)])
    profiles = App.in_folder(Path(alice.env["AWS_IOT_CONFIG_DIR"])).config.profiles
    chat = f"chat {room}"
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        proxy.refuse()
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
        profiles.replace("local", stack.profile._replace(endpoint=endpoint))
        with on_a_screen(chat, alice.env) as first:
            first.wait_for("offline")
            with on_a_screen(chat, alice.env) as author:
                author.wait_for("offline")
                author.type("of the author\r")
                author.wait_for("○ of the author")
                first.kill()
                with on_a_screen(chat, alice.env) as next_:  # it takes over what ended chats have left
                    next_.wait_for("offline")
                    next_.type("of the next\r")
                    next_.wait_for("○ of the next")
                    assert "of the author" not in next_.text
                    proxy.admit()
                    for screen, message in ((author, "of the author"), (next_, "of the next")):
                        screen.wait_for("● online")
                        screen.wait_for_message(message)
    connection.publish(Publication(topic(stack.profile.identity_pool_id, room, bob.identity), b"the end"))
    received = list[str]()
    while "the end" not in received:
        event = connection.receive(DEADLINE_SECONDS)
        assert isinstance(event, Publication)
        if ("kind", PRESENCE) not in event.properties:
            received.append(decode(event.payload))
    connection.close()
    assert sorted(received) == ["of the author", "of the next", "the end"]


def test_no_message_changes_what_is_around_the_conversation(stack: Stack, speaker: Client, room: str) -> None:
    alice = stack.person()

    def around(screen: TerminalScreen) -> list[str]:
        """The rooms, the people, the input and the status, with their frames: columns and rows, and their looks."""
        cells = screen.cells
        return [str(row[:18] + row[61:] if number < 21 else row) for number, row in enumerate(cells)]

    with on_a_screen(f"chat {room}", alice.env) as screen:
        screen.wait_for("● online")
        # Before he tells so, it takes half a minute until it is decided that he is not here.
        speaker.publish_nowait(
            speaker.outgoing(room, Sign.ONLINE.value, kind=PRESENCE, re="his chat"), lambda _: None
        )
        speaker.publish(room, "the beginning.")
        screen.wait_for_message("the beginning.")
        screen.wait_for("● bob~")
        screen.type("half a message")
        wait_until(lambda: screen.text.splitlines()[22] == " half a message" and screen.cells[22][15].reverse)
        before = around(screen)
        for number, text in enumerate(HOSTILE):
            speaker.publish(room, json.dumps({"msg": text}).encode())
            speaker.publish(room, f"number {number}.")
            screen.wait_for_message(f"number {number}.")
            assert around(screen) == before, text
        screen.type("\x11")
        assert screen.process.wait(DEADLINE_SECONDS) == 0
    lines = run_here(f"history {room} -n 1000 --json", alice.env).stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines][1::2] == HOSTILE
