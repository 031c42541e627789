"""The session that the broker keeps for a chat: when it ends, and what arrives from it. With real chats."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.aws.iot.connection import IotCoreConnection
from aws_iot.chat.model import events as on
from aws_iot.chat.model.state import Link
from aws_iot.chat.parts.receiver import Receiver
from aws_iot.chat.parts.rooms import Line
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import AwsIotError
from aws_iot.messaging.client import Client
from aws_iot.messaging.deliveries import Delivery
from tests import terminal
from tests.fault_proxy import FaultProxy
from tests.in_process import run_here
from tests.local.test_connection_faults import IDENTITY, keys, profile_of
from tests.policies import allow
from tests.processes import Person, Stack
from tests.screens import TerminalScreen, on_a_screen
from tests.scripted_broker import Kind, Script, ScriptedBroker, agreeable, publish
from tests.unit.test_chat_receiver import NoSender
from tests.waiting import DEADLINE_SECONDS, POLL_SECONDS, wait_until

pytestmark = terminal.NEEDED


class Watcher:
    """What the broker tells of connections: AWS's lifecycle events, which a rule sends to a room."""

    def __init__(self, client: Client, stack: Stack) -> None:
        self._client = client
        self._stack = stack
        self._seen: list[dict[str, str]] = []

    def _events(self, person: Person, kind: str) -> list[dict[str, str]]:
        for event in self._client.events(POLL_SECONDS):
            if isinstance(event, Delivery):
                self._seen.append(json.loads(event.message.payload))
                event.ack()
        return [
            one
            for one in self._seen
            if one["eventType"] == kind and one["clientId"].startswith(person.identity)
        ]

    def sessions(self, person: Person) -> list[str]:
        """The names in the client IDs of a person, in the order in which they connected."""
        names = (
            one["clientId"].removeprefix(f"{person.identity}-") for one in self._events(person, "connected")
        )
        return [*dict.fromkeys(names)]

    def wait_for_the_end(self, person: Person) -> None:
        """Wait until the broker knows that each connection has ended."""
        wait_until(
            lambda: len(self._events(person, "disconnected")) >= len(self._events(person, "connected")) > 0,
            lambda: self._seen,
        )

    def has_session(self, person: Person, name: str) -> bool:
        """Whether the broker still has this session. It has none afterwards."""
        app, profile = self._stack.app(), self._stack.profile
        credentials = app.auth.issuer(profile).issue(self._stack.sign_in(person.username))
        connection = app.messaging.connect(
            profile, person.identity, lambda: credentials, name, is_temporary=True
        )
        try:
            return connection.is_resumed
        finally:
            connection.close()


@pytest.fixture(scope="module")
def watcher(stack: Stack) -> Iterator[Watcher]:
    app, person = stack.app(), stack.person()
    credentials = app.auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    connection = app.messaging.connect(stack.profile, person.identity, lambda: credentials)
    client = app.messaging.client(stack.profile, connection, person.identity, person.username)
    client.subscribe("lifecycle")
    topic = f"{stack.profile.identity_pool_id}/lifecycle/rule"
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = stack.client("iam").create_role(
        RoleName="lifecycle",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    publish = {"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}
    stack.client("iam").put_role_policy(
        RoleName="lifecycle",
        PolicyName="publish",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [publish]}),
    )
    stack.client("iot").create_topic_rule(
        ruleName="lifecycle",
        topicRulePayload={
            "sql": "SELECT * FROM '$aws/events/presence/#'",
            "actions": [{"republish": {"roleArn": role, "topic": topic}}],
        },
    )
    yield Watcher(client, stack)
    stack.client("iot").delete_topic_rule(ruleName="lifecycle")
    client.close()


ENDS: list[tuple[Callable[[TerminalScreen], None], int, bool]] = [
    (lambda screen: screen.type("\x11"), 0, False),
    (lambda screen: screen.process.send_signal(signal.SIGTERM), 143, False),
    (lambda screen: screen.process.send_signal(signal.SIGHUP), 129, False),
    (lambda screen: screen.kill(), -9, True),
]
"""How a chat ends, its exit code, and whether its session remains."""


def test_a_chat_that_ends_leaves_no_session_unless_it_is_killed(
    stack: Stack, room: str, watcher: Watcher
) -> None:
    with ExitStack() as all_of_them:
        chats = [(person := stack.person(), on_a_screen(f"chat {room}", person.env)) for _ in ENDS]
        screens = [(person, all_of_them.enter_context(screen)) for person, screen in chats]
        for (_, screen), (end, _, _) in zip(screens, ENDS, strict=True):
            screen.wait_for("● online")
            end(screen)
        for (_, screen), (_, code, _) in zip(screens, ENDS, strict=True):
            assert screen.process.wait(DEADLINE_SECONDS) == code
    for (person, _), (_, code, remains) in zip(screens, ENDS, strict=True):
        watcher.wait_for_the_end(person)
        [name] = watcher.sessions(person)
        assert watcher.has_session(person, name) == remains, code


@contextmanager
def behind_proxy(stack: Stack, person: Person) -> Iterator[FaultProxy]:
    """The network between this person and the broker."""
    profiles = App.in_folder(Path(person.env["AWS_IOT_CONFIG_DIR"])).config.profiles
    with FaultProxy(stack.profile.endpoint.port) as proxy:
        endpoint = Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt")
        profiles.replace("local", stack.profile._replace(endpoint=endpoint))
        yield proxy


def cut_off(proxy: FaultProxy, screen: TerminalScreen) -> None:
    proxy.refuse()
    proxy.cut()
    screen.wait_for("reconnecting")


def texts_of(person: Person, room: str) -> list[str]:
    lines = run_here(f"history {room} -n 2000 --json", person.env).stdout.splitlines()
    return [json.loads(line)["text"] for line in lines]


def send(speaker: Client, room: str, number: int, acknowledged: threading.Semaphore) -> None:
    """Send a numbered message without waiting for the broker, which releases the semaphore."""
    speaker.publish_nowait(speaker.outgoing(room, f"number {number}."), lambda _: acknowledged.release())


def quit_chat(screen: TerminalScreen) -> None:
    screen.type("\x11")
    assert screen.process.wait(DEADLINE_SECONDS) == 0


def test_a_thousand_messages_that_were_sent_meanwhile_arrive_once_and_in_order(
    stack: Stack, speaker: Client, room: str
) -> None:
    person, acknowledged = stack.person(), threading.Semaphore(0)
    with behind_proxy(stack, person) as proxy, on_a_screen(f"chat {room}", person.env) as screen:
        screen.wait_for("● online")
        cut_off(proxy, screen)
        for number in range(1000):
            send(speaker, room, number, acknowledged)
        for _ in range(1000):
            assert acknowledged.acquire(timeout=DEADLINE_SECONDS)
        proxy.admit()
        screen.wait_for("number 999.")
        assert "may be missing" not in screen.text
        quit_chat(screen)
    assert texts_of(person, room) == [f"number {number}." for number in range(1000)]


@pytest.mark.long
def test_messages_of_a_burst_during_which_the_connection_is_cut_time_and_again_arrive_once_and_in_order(
    stack: Stack, speaker: Client, room: str
) -> None:
    person, acknowledged = stack.person(), threading.Semaphore(0)
    with behind_proxy(stack, person) as proxy, on_a_screen(f"chat {room}", person.env) as screen:
        screen.wait_for("● online")
        for number in range(1000):
            send(speaker, room, number, acknowledged)
            if number % 200 == 150:
                for _ in range(100):
                    assert acknowledged.acquire(timeout=DEADLINE_SECONDS)
                proxy.cut(reset=number % 400 == 150)
        screen.wait_for("number 999.")
        assert "may be missing" not in screen.text
        quit_chat(screen)
    assert texts_of(person, room) == [f"number {number}." for number in range(1000)]


def test_a_line_marks_where_messages_are_missing_if_the_broker_has_discarded_the_session(
    stack: Stack, speaker: Client, room: str, watcher: Watcher
) -> None:
    people = person, plain_person = stack.person(), stack.person()
    with (
        behind_proxy(stack, person) as proxy,
        on_a_screen(f"chat {room} other-{room}", person.env, 100) as screen,
        behind_proxy(stack, plain_person) as plain_proxy,
        on_a_screen(f"chat {room} other-{room} --plain", plain_person.env, 100) as plain,
    ):
        screens, proxies = [screen, plain], [proxy, plain_proxy]
        for one in screens:
            one.wait_for_pattern("● online|Online.")
        speaker.publish(room, "before.")
        for one, network in zip(screens, proxies, strict=True):
            one.wait_for("before.")
            network.refuse()
            network.cut()
        for one, somebody in zip(screens, people, strict=True):
            one.wait_for("connection lost")
            watcher.wait_for_the_end(somebody)
            [name] = watcher.sessions(somebody)
            assert watcher.has_session(somebody, name)
        speaker.publish(room, "to nobody.")
        for one, network in zip(screens, proxies, strict=True):
            network.admit()
            one.wait_for("may be missing")
        speaker.publish(room, "after.")
        for one in screens:
            one.wait_for_pattern(r"(?s)before\..*essages (between|at) .*may be missing.*after\.")
            one.type(f"/join other-{room}\r")
        plain.wait_for_pattern(f"(?s)Room other-{room}.*may be missing")
        screen.wait_until_gone("before.")
        screen.wait_for("may be missing")
        for one in screens:
            one.type("/quit\r")
            assert one.process.wait(DEADLINE_SECONDS) == 0
    for somebody in people:
        assert texts_of(somebody, room) == ["before.", "after."]


def test_a_chat_whose_session_is_taken_over_gets_another_one_and_marks_the_place(
    stack: Stack, speaker: Client, room: str, watcher: Watcher
) -> None:
    person = stack.person()
    with on_a_screen(f"chat {room}", person.env) as screen:
        screen.wait_for("● online")
        speaker.publish(room, "before.")
        screen.wait_for_message("before.")
        [name] = watcher.sessions(person)
        assert watcher.has_session(person, name)  # which takes it over
        screen.wait_for("may be missing")
        speaker.publish(room, "after.")
        screen.wait_for_message("after.")
        quit_chat(screen)
    watcher.wait_for_the_end(person)
    assert len(watcher.sessions(person)) == 2


def forbidding(stack: Stack, *statements: dict[str, str]) -> Person:
    """A person whose policy allows all that the role of the members allows, except this."""
    person = stack.person(accepted=False)
    statement = [allow("iot:*"), *({"Effect": "Deny"} | one for one in statements)]
    stack.attach_policy_of_its_own(
        person.identity, json.dumps({"Version": "2012-10-17", "Statement": statement})
    )
    return person


def test_a_policy_may_forbid_the_will_or_the_session(
    stack: Stack, speaker: Client, room: str, watcher: Watcher
) -> None:
    """Who may not write has a session, but no will. Without a session, a line marks what may be missing."""
    names_of_sessions = f"arn:aws:iot:*:*:client/*-{'?' * 16}"
    reader = forbidding(stack, {"Action": "iot:Publish", "Resource": f"arn:aws:iot:*:*:topic/*/{room}/*"})
    other = forbidding(stack, {"Action": "iot:Connect", "Resource": names_of_sessions})
    with (
        behind_proxy(stack, reader) as proxy,
        on_a_screen(f"chat {room}", reader.env) as of_reader,
        behind_proxy(stack, other) as other_proxy,
        on_a_screen(f"chat {room}", other.env) as of_other,
    ):
        screens = of_reader, of_other
        for screen in screens:
            screen.wait_for("● online")
        speaker.publish(room, "before.")
        for screen, network in zip(screens, (proxy, other_proxy), strict=True):
            screen.wait_for_message("before.")
            cut_off(network, screen)
        speaker.publish(room, "meanwhile.")
        proxy.admit()
        other_proxy.admit()
        of_reader.wait_for_message("meanwhile.")
        of_other.wait_for("may be missing")
        speaker.publish(room, "after.")
        for screen in screens:
            screen.wait_for_message("after.")
        assert "may be missing" not in of_reader.text
        for screen in screens:
            screen.kill()
    for person, texts, remains in [
        (reader, ["before.", "meanwhile.", "after."], True),
        (other, ["before.", "after."], False),
    ]:
        watcher.wait_for_the_end(person)
        assert texts_of(person, room) == texts
        [name] = watcher.sessions(person)
        assert (len(name), watcher.has_session(person, name)) == (16 if remains else 8, remains)


def test_after_24_hours_the_chat_reconnects_and_misses_nothing() -> None:
    """AWS lets no connection last longer, and keeps the session."""
    kept = bytes([0x20, 3, 1, 0, 0])  # CONNACK with Session Present
    script: Script = lambda p: kept if p.kind is Kind.CONNECT and p.link > 1 else agreeable(p)  # noqa: E731
    moved, credentials, told = timedelta(0), keys(), list[on.Event]()

    def now() -> datetime:
        return datetime.now(UTC) + moved

    with ScriptedBroker(script) as broker:
        profile = profile_of(broker)
        pool = profile.identity_pool_id

        def connect(_: AwsIotError | None) -> Line:
            connection = IotCoreConnection.open(
                profile, IDENTITY, lambda: credentials, now, DEADLINE_SECONDS, "session", is_temporary=True
            )
            client = Client(
                connection, pool=pool, identity=IDENTITY, username="alice", now=now, new_id=lambda: "1"
            )
            return Line(client, connection)

        # Its own clock does not jump: otherwise the machine was asleep.
        receiver = Receiver(connect, None, NoSender(), told.append, lambda: datetime.now(UTC), key="team")
        receiver.join("lobby")
        receiver.start()
        wait_until(lambda: told.count(on.RoomsJoined(["lobby"])) == 2, lambda: told)  # and it is online
        moved = timedelta(hours=24)
        broker.cut()
        wait_until(lambda: told.count(on.RoomsJoined(["lobby"])) == 3, lambda: told)
        broker.send(publish(f"{pool}/lobby/bob", 1))
        wait_until(lambda: any(isinstance(one, on.Received) for one in told), lambda: told)
        receiver.close()
        wait_until(lambda: bool(broker.of(Kind.DISCONNECT)))
        [asked] = broker.of(Kind.SUBSCRIBE)
        assert asked.link == 1
        last = broker.of(Kind.DISCONNECT)[-1]
        assert last.body == bytes([0, 5, 0x11, 0, 0, 0, 0]), "it ends the session"
    lost = [
        one.status.what for one in told if isinstance(one, on.StatusChanged) and one.status.link is Link.LOST
    ]
    assert lost == ["connection lost: the 24 hours are over that AWS lets a connection last"]
    assert not any(isinstance(one, on.Missed) for one in told)
