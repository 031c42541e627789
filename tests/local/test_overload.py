"""The local stack's broker when a client is slow, silent or away: nobody else waits, and nothing is lost silently."""

from collections.abc import Callable, Iterator

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from aws_iot.auth.credentials import Credentials
from aws_iot.messaging.client import Client
from tests.paho_client import PahoClient
from tests.processes import Person, Stack
from tests.waiting import wait_until

WINDOW = 100
"""The maximum of unacknowledged messages, as on AWS."""

V311, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5


@pytest.fixture(scope="module")
def credentials(stack: Stack, person: Person) -> Credentials:
    issued: Credentials = stack.app().auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    return issued


@pytest.fixture
def connecting(stack: Stack, credentials: Credentials, room: str) -> Iterator[Callable[..., PahoClient]]:
    """Makes clients with an ID that no other test uses."""
    made: list[PahoClient] = []

    def client(protocol: MQTTProtocolVersion, name: str = "", **options: bool) -> PahoClient:
        client_id = f"{credentials.identity}-{room}-{name or len(made)}"
        made.append(PahoClient(stack, credentials, protocol, client_id, **options))
        return made[-1]

    yield client
    for one in made:
        one.close()


def numbered(first: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, end)]


def publish(client: PahoClient, topic: str, payloads: list[bytes], qos: int = 1) -> None:
    """Publish all, and return when all are acknowledged."""
    before = len(client.acknowledged)
    for payload in payloads:
        client.mqtt.publish(topic, payload, qos=qos)
    wait_until(lambda: len(client.acknowledged) == before + len(payloads))


def connect_properties() -> Properties:
    return Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]


def topics(stack: Stack, person: Person, room: str) -> tuple[str, str]:
    """The filter of a room, and the topic of the person in it."""
    pool = stack.profile.identity_pool_id
    return f"{pool}/{room}/#", f"{pool}/{room}/{person.identity}"


@pytest.mark.parametrize(("protocol", "receives"), [(V311, WINDOW), (V5, WINDOW), (V5, 7)])
def test_a_silent_client_gets_the_rest_in_order_when_it_acknowledges_and_stops_nobody(
    stack: Stack,
    person: Person,
    connecting: Callable[..., PahoClient],
    room: str,
    protocol: MQTTProtocolVersion,
    receives: int,
) -> None:
    everything, own = topics(stack, person, room)
    silent, quick = connecting(protocol, acknowledges=False), connecting(V311)
    properties = None
    if receives < WINDOW:
        properties = connect_properties()
        properties.ReceiveMaximum = receives
    silent.connect(properties)
    quick.connect()
    for client in (silent, quick):
        client.subscribe(everything)
    sent = numbered(0, 250)
    publish(quick, own, sent)
    wait_until(lambda: quick.payloads == sent)
    assert silent.payloads == sent[:receives]
    for done in range(0, len(sent), receives):
        wait_until(lambda done=done: len(silent.messages) == min(done + receives, len(sent)))  # type: ignore[misc]
        silent.acknowledge(silent.messages[done:])
    assert silent.payloads == sent
    assert not silent.lost


def test_a_crowded_client_slows_a_sender_down_but_does_not_stop_it(
    stack: Stack, person: Person, connecting: Callable[..., PahoClient], room: str
) -> None:
    everything, own = topics(stack, person, room)
    silent, sender = connecting(V311, acknowledges=False), connecting(V311)
    silent.connect()
    silent.subscribe(everything)
    sender.connect()
    publish(sender, own, numbered(0, 1_130))  # the last of them are acknowledged a second later
    stack.process.wait_for(f"{silent.client_id} does not keep up: more than 1,000 messages wait")
    publish(sender, own, numbered(1_130, 1_140), qos=0)
    assert not sender.lost
    assert silent.payloads == numbered(0, WINDOW)


@pytest.mark.parametrize("protocol", [V311, V5])
def test_a_durable_session_holds_every_message_for_a_client_that_is_away(
    stack: Stack,
    person: Person,
    connecting: Callable[..., PahoClient],
    room: str,
    protocol: MQTTProtocolVersion,
) -> None:
    everything, own = topics(stack, person, room)
    sender = connecting(V311)
    sender.connect()
    away, back = (connecting(protocol, "it", acknowledges=False, is_durable=True) for _ in range(2))
    properties = None
    if protocol == V5:
        properties = connect_properties()
        properties.SessionExpiryInterval = 600
    away.connect(properties)
    away.subscribe(everything)
    publish(sender, own, numbered(0, 150))
    wait_until(lambda: len(away.messages) == WINDOW)  # 100 that it does not acknowledge, and 50 that wait
    away.close()
    publish(sender, own, numbered(150, 1_700))
    back.connect(properties)
    for done in range(0, 1_700, WINDOW):
        wait_until(lambda done=done: len(back.messages) >= done + WINDOW)  # type: ignore[misc]
        back.acknowledge(back.messages[done : done + WINDOW])
    assert back.payloads == numbered(0, 1_700)


def test_a_payload_of_128_kb_arrives(
    speaker: Client, stack: Stack, person: Person, connecting: Callable[..., PahoClient], room: str
) -> None:
    listener = connecting(V5)
    listener.connect()
    listener.subscribe(topics(stack, person, room)[0])
    payload = bytes(128 * 1024)
    speaker.publish(room, payload)
    wait_until(lambda: listener.payloads == [payload])


@pytest.mark.long  # the engine takes a quarter of a minute for 80 MB
def test_a_client_that_reads_nothing_is_disconnected_when_too_much_waits(
    stack: Stack, person: Person, connecting: Callable[..., PahoClient], room: str
) -> None:
    everything, own = topics(stack, person, room)
    silent, sender = connecting(V5, acknowledges=False), connecting(V311)
    silent.connect()
    silent.subscribe(everything)
    sender.connect()
    for _ in range(800):  # 100 are on the way, and 64 MB of them wait
        sender.mqtt.publish(own, bytes(100_000), qos=1)
    wait_until(lambda: silent.is_lost)
    assert silent.lost == [0x97]
    stack.process.wait_for("has disconnected .*: it has not read its messages")
    assert not sender.lost
