"""A TCP proxy on 127.0.0.1 that imitates bad networks: it cuts connections, stalls them, and slows them down.

It forwards bytes unchanged, so TLS stays between client and server. A client uses it through a profile whose endpoint
has the proxy's port.
"""

import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

from tests.waiting import DEADLINE_SECONDS

HOST = "127.0.0.1"
AT_ONCE = struct.pack("ii", 1, 0)
"""A value of SO_LINGER: closing the socket sends RST."""


class Way(Enum):
    """The direction of bytes."""

    UP = "to the server"
    DOWN = "to the client"


@dataclass
class FaultProxy:
    """Listens within its `with` block, and forwards each connection to the port `target`."""

    target: int
    accepted: list[float] = field(default_factory=list)
    """When each connection was accepted, by the monotonic clock."""
    bytes_per_second: float | None = None
    """The speed of each connection in each direction; None means unlimited."""
    is_mute: bool = False
    """Whether new connections are accepted, but neither answered nor forwarded."""

    def __enter__(self) -> Self:
        self._flowing = threading.Event()
        self._flowing.set()
        self._links: list[_Link] = []
        self._mute: list[socket.socket] = []
        self._changed = threading.Condition()
        self._port = 0
        self.admit()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self.cut()
        for client in self._mute:
            client.close()

    @property
    def port(self) -> int:
        """The port, which stays the same after `refuse` and `admit`."""
        return self._port

    def refuse(self) -> None:
        """Stop listening, so new connections are refused. Open connections stay open."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`; close() would not
        self._listener.close()

    def admit(self) -> None:
        """Listen, always on the same port."""
        self._listener = socket.create_server((HOST, self._port))
        self._port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self, *, reset: bool = False) -> int:
        """Cut every connection, by FIN or by RST. Returns how many there were."""
        standing = [link for link in self._links if not link.is_over]
        for link in standing:
            link.cut(reset=reset)
        return len(standing)

    def cut_after(self, size: int, way: Way, *, reset: bool = False) -> None:
        """Cut every connection after `size` more bytes in this direction, usually within a packet."""
        for link in self._links:
            link.cut_after(size, way, reset=reset)

    def half_close(self, way: Way) -> None:
        """Close one direction of every connection. The receiver sees the end of the stream, and can still send."""
        for link in self._links:
            link.half_close(way)

    def stall(self) -> None:
        """Accept connections and bytes, but forward nothing until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """End a stall, and forward what arrived meanwhile."""
        self._flowing.set()

    def wait_for_links(self, count: int) -> None:
        """Return when `count` connections have been accepted."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.accepted) >= count, DEADLINE_SECONDS)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):  # the client has already closed the connection
                with self._changed:
                    self.accepted.append(time.monotonic())
                    self._changed.notify_all()
                if self.is_mute:
                    self._mute.append(client)
                    continue
                try:
                    server = socket.create_connection((HOST, self.target), timeout=DEADLINE_SECONDS)
                except OSError:  # the client sees what it would see without a proxy
                    client.close()
                    raise
                link = _Link(self, client, server)
                self._links.append(link)  # before any byte passes, so that a cut includes it
                link.start()

    def wait_to_carry(self, size: int) -> None:
        """Return when `size` bytes may pass."""
        self._flowing.wait()
        if self.bytes_per_second:
            time.sleep(size / self.bytes_per_second)


class _Link:
    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._left: dict[Way, int] = {}
        self._sockets = {Way.UP: (client, server), Way.DOWN: (server, client)}
        self._is_reset = False
        self.is_over = False
        self._pumps = [threading.Thread(target=self._carry, args=(way,), daemon=True) for way in Way]
        for end in (client, server):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for pump in self._pumps:
            pump.start()
        threading.Thread(target=self._close, daemon=True).start()

    def cut(self, *, reset: bool) -> None:
        self.is_over, self._is_reset = True, reset
        for end, _ in self._sockets.values():
            with suppress(OSError):
                # This wakes the pump. RST is sent when the socket is closed.
                end.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)

    def cut_after(self, size: int, way: Way, *, reset: bool) -> None:
        self._is_reset = reset
        self._left[way] = size

    def half_close(self, way: Way) -> None:
        with suppress(OSError):
            self._sockets[way][1].shutdown(socket.SHUT_WR)

    def _carry(self, way: Way) -> None:
        source, sink = self._sockets[way]
        with suppress(OSError):
            while data := source.recv(65536):
                self._proxy.wait_to_carry(len(data))
                if self.is_over:
                    return
                left = self._left.get(way, len(data))
                sink.sendall(data[:left])
                if left < len(data):
                    self.cut(reset=self._is_reset)
                    return
                if way in self._left:
                    self._left[way] = left - len(data)
            if not self.is_over:
                sink.shutdown(socket.SHUT_WR)
            return
        self.cut(reset=True)  # the other end has closed the connection

    def _close(self) -> None:
        for pump in self._pumps:
            pump.join()
        self.is_over = True
        for end, _ in self._sockets.values():
            if self._is_reset:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end.close()
