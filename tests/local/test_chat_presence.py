"""Who is here, as real chats tell each other on the local stack, and what other programs see of it."""

import json
import re

from tests import terminal
from tests.in_process import run_here
from tests.processes import Person, Running, Stack
from tests.screens import on_a_screen
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = terminal.NEEDED


def short(person: Person) -> str:
    return person.identity.partition(":")[2][:8]


def test_two_chats_see_each_other_come_and_go_and_a_killed_one_leaves(stack: Stack, room: str) -> None:
    alice, bob = stack.person(), stack.person()
    with on_a_screen(f"chat {room}", alice.env, 100) as one:
        one.wait_for("● online")
        with on_a_screen(f"chat {room}", bob.env, 100) as other:
            one.wait_for(f"~{short(bob)}")
            other.wait_for(f"~{short(alice)}")
            other.type("\x11")
            assert other.process.wait(DEADLINE_SECONDS) == 0
            wait_until(lambda: f"~{short(bob)}" not in one.text, lambda: one.text)
        with on_a_screen(f"chat {room}", bob.env, 100) as again:
            one.wait_for(f"~{short(bob)}")
            again.kill()
            wait_until(lambda: f"~{short(bob)}" not in one.text, lambda: one.text)
        one.type("\x11")
        assert one.process.wait(DEADLINE_SECONDS) == 0


def test_other_programs_and_the_history_see_nothing_of_presence(stack: Stack, room: str) -> None:
    alice, bob, carol = stack.person(), stack.person(), stack.person()
    sub = Running(f"sub -r {room} --json", carol.env)
    try:
        sub.wait_for(f"Subscribed|Listening|{room}")
        with on_a_screen(f"chat {room} elsewhere-{room}", alice.env, 100) as one:
            one.wait_for("● online")
            with on_a_screen(f"chat {room} --plain", bob.env, 100) as other:
                other.wait_for("Online.")
                one.wait_for(f"~{short(bob)}")
                other.type("/who\r")
                other.wait_for("Online: ")
                other.type("the only message\r")
                one.wait_for("  the only message")
                sub.wait_for("the only message")
                other.type("/quit\r")
                assert other.process.wait(DEADLINE_SECONDS) == 0
                assert not any(f"({word})" in other.text for word in ("joined", "online", "offline"))
            wait_until(lambda: not re.search(rf"● \S+~{short(bob)}", one.text), lambda: one.text)
            one.type("\x11")
            assert one.process.wait(DEADLINE_SECONDS) == 0
    finally:
        sub.kill()
    assert len(sub.stdout) == 1
    found = run_here(f"history {room} --json", alice.env).stdout.splitlines()
    assert [json.loads(line)["text"] for line in found] == ["the only message"]
