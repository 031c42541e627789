"""Ten real chats in a room, with what happens to people who leave a chat open all day."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import AwsIotError
from aws_iot.messaging.client import Client
from tests import terminal
from tests.fault_proxy import FaultProxy
from tests.in_process import run_here
from tests.processes import Person, Stack
from tests.screens import TerminalScreen, on_a_screen
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = terminal.NEEDED

COLUMNS, ROWS = 80, 40
SIZES = [(30, 12), (140, 50), (80, 24), (41, 12), (99, 40), (40, 30), (200, 20)]

FLOOD_PART, PARTS_PER_SECOND = 100, 10
FLOOD_PARTS = 200
"""Where a flood ends by itself, so that a busy machine is not behind for ever."""


class Flood:
    """1,000 messages a second in a room, until it is stopped."""

    def __init__(self, speaker: Client, room: str) -> None:
        self._speaker = speaker
        self._room = room
        self._stopped = threading.Event()
        self._free = threading.Semaphore(5 * FLOOD_PART)
        self._thread = threading.Thread(target=self._run)
        self.sent: list[str] = []
        self.failures: list[AwsIotError] = []

    def __enter__(self) -> "Flood":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Return when the broker has acknowledged everything."""
        self._stopped.set()
        self._thread.join()
        for _ in range(5 * FLOOD_PART):
            assert self._free.acquire(timeout=DEADLINE_SECONDS)
        self._free.release(5 * FLOOD_PART)
        assert self.failures == []

    def _run(self) -> None:
        for number in range(FLOOD_PARTS * FLOOD_PART):
            if number % FLOOD_PART == 0 and number and self._stopped.wait(1 / PARTS_PER_SECOND):
                return
            text = f"flood {number}."
            self._free.acquire()
            self._speaker.publish_nowait(self._speaker.outgoing(self._room, text), self._done)
            self.sent.append(text)

    def _done(self, error: AwsIotError | None) -> None:
        if error:
            self.failures.append(error)
        self._free.release()


@contextmanager
def resized_all_the_time(screen: TerminalScreen) -> Iterator[None]:
    """Somebody drags the corner of the window, until the block ends. Then it is as large as before."""
    stopped = threading.Event()

    def resize() -> None:
        for columns, rows in cycle(SIZES):
            if stopped.wait(0.05):
                return
            screen.resize(columns, rows)

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        screen.resize(COLUMNS, ROWS)


def texts_of(person: Person, room: str) -> list[str]:
    """What the history of a person has of a room."""
    lines = run_here(f"history {room} -n 100000 --json", person.env).stdout.splitlines()
    return [json.loads(line)["text"] for line in lines]


def behind_proxy(stack: Stack, person: Person, proxy: FaultProxy) -> None:
    profiles = App.in_folder(Path(person.env["AWS_IOT_CONFIG_DIR"])).config.profiles
    endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
    profiles.replace("local", stack.profile._replace(endpoint=endpoint))


def test_a_flood_and_a_window_that_is_dragged_hold_up_nobody(
    stack: Stack, speaker: Client, room: str
) -> None:
    alice, bob = stack.person(), stack.person()
    flooded = f"flooded-{room}"
    with (
        on_a_screen(f"chat {room} {flooded}", alice.env, COLUMNS, ROWS) as one,
        on_a_screen(f"chat {room}", bob.env, COLUMNS, ROWS) as other,
    ):
        one.wait_for("● online")
        other.wait_for("● online")
        with Flood(speaker, flooded) as flood, resized_all_the_time(other):
            one.type("from the flooded one\r")
            other.wait_for_message("from the flooded one")
            one.type("\x0e")  # Ctrl+N: the flooded room
            one.wait_for_message("flood 1")
            one.type("is anybody here?\r")
            wait_until(lambda: len(flood.sent) >= 1_000)
            other.type("from the one that is resized\r")
            flood.stop()
            one.wait_for_message(flood.sent[-1])
            one.type("\x10")
            one.wait_for_message("from the one that is resized")
        other.wait_for_message("from the one that is resized")
        for screen in (one, other):
            screen.type("\x11")
            assert screen.process.wait(DEADLINE_SECONDS) == 0
    said = ["from the flooded one", "from the one that is resized"]
    assert texts_of(alice, room) == texts_of(bob, room) == said
    assert Counter(texts_of(alice, flooded)) == Counter([*flood.sent, "is anybody here?"])


CUT, KILLED, RESIZED, FLOODED, WITNESS = range(5)
PEOPLE = 10


class Crowd:
    """Ten people in a room, and what each of them must have in the end."""

    def __init__(self, room: str, screens: list[TerminalScreen]) -> None:
        self.screens = screens
        self._room = room
        self._expected = [Counter[str]() for _ in range(PEOPLE)]

    def all_talk(self, about: str, *, but: tuple[int, ...] = (), drafted: str = "") -> None:
        """Everybody sends a message at the same time; return when all screens show the end of it.

        Those in `but` are away. The broker keeps it for the one that is cut off, but not for the one that was killed.
        `drafted` is what the latter has in the input already.
        """
        there = [number for number in range(PEOPLE) if number not in but]
        said = {number: f"{number} says {about}." for number in there}
        if drafted:
            said[KILLED] = drafted
        for number in there:
            text = "" if drafted and number == KILLED else said[number]
            self.screens[number].type(f"{text}\r")
        for text in said.values():
            self._wait_for_once(WITNESS, text)
        end = f"enough of {about}."
        self.screens[WITNESS].type(f"{end}\r")
        for number in there:
            if number != RESIZED:  # at times its window is too small
                self._wait_for_once(number, end)
        for number in {*there, CUT}:
            self._expected[number].update([*said.values(), end])

    def _wait_for_once(self, number: int, text: str) -> None:
        """Wait until a screen shows a message that has arrived, and only once."""
        screen = self.screens[number]
        wait_until(lambda: screen.count(text) == 1, lambda: f"{text!r} once on:\n{screen.text}")

    def expect(self, text: str) -> None:
        """Everybody must have this message, too."""
        for expected in self._expected:
            expected[text] += 1

    def check(self, people: list[Person]) -> None:
        """Each history has every message once."""
        for person, expected in zip(people, self._expected, strict=True):
            assert Counter(texts_of(person, self._room)) == expected


@pytest.mark.long
def test_ten_people_lose_nothing_and_see_nothing_twice(stack: Stack, speaker: Client, room: str) -> None:
    people = [stack.person() for _ in range(PEOPLE)]
    flooded = f"flooded-{room}"
    with ExitStack() as closing:
        proxy = closing.enter_context(FaultProxy(stack.profile.endpoint.port))
        behind_proxy(stack, people[CUT], proxy)
        screens = [
            closing.enter_context(
                on_a_screen(f"chat {room} {flooded if number == FLOODED else ''}", person.env, COLUMNS, ROWS)
            )
            for number, person in enumerate(people)
        ]
        for screen in screens:
            screen.wait_for("● online")
        crowd = Crowd(room, screens)
        flood = closing.enter_context(Flood(speaker, flooded))
        with resized_all_the_time(screens[RESIZED]):
            crowd.all_talk("hello")
            screens[KILLED].type("half a message")
            screens[KILLED].wait_for("half a message")
            saved = Path(people[KILLED].env["AWS_IOT_CONFIG_DIR"]) / "chat"
            wait_until(lambda: any("half a message" in one.read_text() for one in saved.rglob("*.json")))
            screens[KILLED].kill()
            proxy.refuse()
            proxy.cut()
            screens[CUT].wait_for("reconnecting")
            screens[CUT].type("written offline\r")
            screens[CUT].wait_for("○ written offline")
            crowd.all_talk("those who are away", but=(CUT, KILLED))
            screens[KILLED] = closing.enter_context(
                on_a_screen(f"chat {room}", people[KILLED].env, COLUMNS, ROWS)
            )
            screens[KILLED].wait_for("half a message")
            screens[KILLED].wait_for("● online")
            proxy.admit()
            screens[CUT].wait_for("● online")
            screens[WITNESS].wait_for_message("written offline")
            crowd.expect("written offline")
            screens[FLOODED].type("\x0e")  # Ctrl+N: the flooded room
            wait_until(lambda: len(flood.sent) >= 1_000)
            screens[FLOODED].wait_for_message("flood ")
            screens[FLOODED].type("is anybody here?\r")
            flood.stop()
            screens[FLOODED].wait_for_message(flood.sent[-1])
            screens[FLOODED].type("\x10")  # Ctrl+P: back
            screens[FLOODED].wait_for_message("written offline")
            crowd.all_talk("the return", drafted="half a message")
        screens[RESIZED].wait_for_message("enough of the return.")
        for screen in screens:
            screen.type("\x11")
            assert screen.process.wait(DEADLINE_SECONDS) == 0
    crowd.check(people)
    assert Counter(texts_of(people[FLOODED], flooded)) == Counter([*flood.sent, "is anybody here?"])
