"""An HTTP proxy on 127.0.0.1. Only the proxy can resolve certain host names, so a reply proves that it was used."""

import base64
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"


@dataclass
class ConnectProxy:
    """Listens within its `with` block, and opens tunnels for clients with the right password, if one is required."""

    known: dict[str, int]
    """The port on 127.0.0.1 for each host name."""
    password: str | None = None
    """The required login, as `user:password`."""
    refusal: int | None = None
    """The HTTP status that every client gets instead of a tunnel."""
    tls: ssl.SSLContext | None = None
    """Set if clients reach the proxy itself over TLS."""
    asked: list[str] = field(default_factory=list)
    """The requested destinations, as `host:port`."""

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def port(self) -> int:
        """Its port."""
        port: int = self._listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, self._secured(client) as client:
            request = b""
            while b"\r\n\r\n" not in request:
                if not (data := client.recv(65536)):
                    return
                request += data
            head, *headers = request.decode("latin-1").split("\r\n")
            method, where, _ = head.split(" ")
            self.asked.append(where)
            status = self._status(method, where, headers)
            client.sendall(f"HTTP/1.1 {status} So It Is\r\nContent-Length: 0\r\n\r\n".encode())
            if status == 200:
                self._carry(client, socket.create_connection((HOST, self.known[where.rpartition(":")[0]])))

    def _secured(self, client: socket.socket) -> socket.socket:
        return self.tls.wrap_socket(client, server_side=True) if self.tls else client

    def _status(self, method: str, where: str, headers: list[str]) -> int:
        if self.refusal:
            return self.refusal
        if self.password:
            basic = base64.b64encode(self.password.encode()).decode()
            if f"proxy-authorization: basic {basic}".lower() not in [line.lower() for line in headers]:
                return 407
        return 200 if method == "CONNECT" and where.rpartition(":")[0] in self.known else 502

    @staticmethod
    def _carry(client: socket.socket, server: socket.socket) -> None:
        def carry(source: socket.socket, sink: socket.socket) -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    sink.sendall(data)
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        with server:
            back = threading.Thread(target=carry, args=(server, client), daemon=True)
            back.start()
            carry(client, server)
            back.join()
