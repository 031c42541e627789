"""A broker that follows a script, for everything that a well-behaved broker never does.

It checks no signatures and keeps no messages; the local stack is there for what AWS does when all is well.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from types import TracebackType
from typing import Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request
from wsproto.utilities import RemoteProtocolError

from aws_iot.config.endpoint import Endpoint


class Kind(IntEnum):
    """MQTT packets that a client sends."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    UNSUBSCRIBE = 10
    PINGREQ = 12
    DISCONNECT = 14


CONNACK = b"\x20\x03\x00\x00\x00"
NOT_AUTHORIZED = 0x87
TAKEN_OVER = 0x8E


def connack(reason: int) -> bytes:
    return bytes([0x20, 3, 0, reason, 0])


def puback(packet: "Packet", reason: int = 0) -> bytes:
    return bytes([0x40, 4]) + packet.id + bytes([reason, 0])


def suback(packet: "Packet", reason: int = 1) -> bytes:
    return bytes([0x90, 3 + len(packet.filters)]) + packet.id + b"\0" + bytes([reason]) * len(packet.filters)


def publish(topic: str, number: int, payload: bytes = b"x") -> bytes:
    """A message to a client, with QoS 1. `number` gives the packet identifier."""
    body = (
        struct.pack(">H", len(topic))
        + topic.encode()
        + struct.pack(">H", number % 65535 + 1)
        + b"\0"
        + payload
    )
    return bytes([0x32, len(body)]) + body


def unsuback(packet: "Packet") -> bytes:
    """The answer to an UNSUBSCRIBE with one filter."""
    return bytes([0xB0, 4]) + packet.id + b"\0\0"


def disconnect(reason: int) -> bytes:
    return bytes([0xE0, 2, reason, 0])


@dataclass(frozen=True)
class Packet:
    """A packet from a client. `link` counts the connections from 1."""

    link: int
    kind: Kind
    body: bytes

    @property
    def id(self) -> bytes:
        """The packet identifier of a PUBLISH (QoS 1), SUBSCRIBE or UNSUBSCRIBE."""
        start = 2 + struct.unpack(">H", self.body[:2])[0] if self.kind is Kind.PUBLISH else 0
        return self.body[start : start + 2]

    @property
    def filters(self) -> list[str]:
        """The topic filters of a SUBSCRIBE."""
        found, rest = [], self.body[3 + self.body[2] :]
        while rest:
            end = 2 + struct.unpack(">H", rest[:2])[0]
            found.append(rest[2:end].decode())
            rest = rest[end + 1 :]
        return found


CUT = None
"""A script returns this to close the connection without an answer."""

Script = Callable[[Packet], bytes | None]


def agreeable(packet: Packet) -> bytes | None:
    """Accept everything."""
    match packet.kind:
        case Kind.CONNECT:
            return CONNACK
        case Kind.PUBLISH:
            return puback(packet)
        case Kind.PUBACK:
            return b""
        case Kind.SUBSCRIBE:
            return suback(packet)
        case Kind.UNSUBSCRIBE:
            return unsuback(packet)
        case Kind.PINGREQ:
            return b"\xd0\x00"
        case Kind.DISCONNECT:
            return CUT


@dataclass
class ScriptedBroker:
    """Listens on 127.0.0.1 within its `with` block.

    `upgrade` returns the HTTP status for a connection: 101 accepts it, 0 closes it without an answer.
    """

    script: Script = agreeable
    upgrade: Callable[[int], int] = lambda _: 101
    received: list[Packet] = field(default_factory=list)
    links: int = 0
    tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()
        self.cut()

    @property
    def endpoint(self) -> Endpoint:
        """Its address."""
        return Endpoint.parse(
            f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self._listener.getsockname()[1]}/mqtt"
        )

    def of(self, kind: Kind) -> list[Packet]:
        """The packets of one kind that have arrived."""
        return [packet for packet in self.received if packet.kind is kind]

    def send(self, data: bytes) -> None:
        """Send on every open connection."""
        for link in self._sockets:
            with _ignoring_the_dead():
                link.sendall(self._framed(data))

    def cut(self) -> None:
        """Close every connection without a DISCONNECT."""
        for link in self._sockets:
            with _ignoring_the_dead():
                link.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            with _ignoring_the_dead() as alive:
                link, _ = self._listener.accept()
                self.links += 1
                self._sockets.append(link)
                threading.Thread(target=self._serve, args=(link, self.links), daemon=True).start()
            if not alive:
                return

    def _serve(self, link: socket.socket, number: int) -> None:
        with _ignoring_the_dead(), link if self.tls is None else self._secured(link) as link:
            socket_events = WSConnection(ConnectionType.SERVER)
            buffer, is_closing = b"", False
            while data := link.recv(65536):
                try:
                    socket_events.receive_data(data)
                except RemoteProtocolError:  # another test's client: the system gives a free port again
                    return
                for event in socket_events.events():
                    match event:
                        case Request():
                            status = self.upgrade(number)
                            if status == 101:
                                link.sendall(socket_events.send(AcceptConnection(subprotocol="mqtt")))
                            else:
                                if status:
                                    link.sendall(socket_events.send(RejectConnection(status_code=status)))
                                return
                        case BytesMessage():
                            buffer += event.data
                        case CloseConnection():
                            is_closing = True  # after the packets that arrived with it
                while packet := _take(buffer, number):
                    taken, buffer = packet
                    self.received.append(taken)
                    answer = self.script(taken)
                    if answer is CUT:
                        return
                    link.sendall(self._framed(answer))
                if is_closing:
                    return

    def _secured(self, link: socket.socket) -> socket.socket:
        assert self.tls
        self._sockets.remove(link)
        with link:
            secured = self.tls.wrap_socket(link, server_side=True)
        self._sockets.append(secured)
        return secured

    @staticmethod
    def _framed(data: bytes) -> bytes:
        return bytes([0x82, len(data)]) + data  # a binary WebSocket message of less than 126 bytes


def _take(buffer: bytes, link: int) -> tuple[Packet, bytes] | None:
    """The first MQTT packet in the buffer, and what follows it."""
    length, shift, start = 0, 0, 1
    while start < len(buffer):
        digit = buffer[start]
        length |= (digit & 0x7F) << shift
        shift, start = shift + 7, start + 1
        if digit < 0x80:
            if len(buffer) < start + length:
                return None
            return Packet(link, Kind(buffer[0] >> 4), buffer[start : start + length]), buffer[
                start + length :
            ]
    return None


@contextmanager
def _ignoring_the_dead() -> Iterator[list[bool]]:
    """Ignore the errors of closed sockets. The list is empty after such an error."""
    alive = [True]
    try:
        yield alive
    except OSError:
        alive.clear()
