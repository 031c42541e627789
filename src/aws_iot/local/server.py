"""The web server of the local stack: hypercorn, on sockets of 127.0.0.1, on a thread of its own."""

import asyncio
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import trustme
from hypercorn.asyncio import run as hypercorn_run
from hypercorn.asyncio import serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config, Sockets
from hypercorn.events import Event, RawData

from aws_iot.errors import Unreachable

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"

START_SECONDS = 30
STOP_SECONDS = 1.0


def listen(wanted: int | None, usual: int, hint: str) -> socket.socket:
    """A socket on the port `wanted`. If that is None: on `usual`, or on a free port if that is in use.

    Raises `Unreachable` with the hint if `wanted` is in use.
    """
    for port in (usual, 0) if wanted is None else (wanted,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # on Windows this would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio does not set this on sockets that it did not create; a response in two parts would take 40 ms longer.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            problem = error
            continue
        listener.setblocking(False)
        return listener
    raise Unreachable(f"port {wanted} cannot be used: {problem.strerror}", hint=hint)


class ServerThread:
    """Serves an ASGI application on a thread, from `start` to `stop`."""

    def __init__(
        self,
        make_application: Callable[[], Any],
        certificate: trustme.LeafCert,
        *,
        plain: socket.socket,
        secure: socket.socket,
    ) -> None:
        """`make_application` is called on that thread. `secure` serves TLS with the certificate, `plain` does not."""
        self._make_application = make_application
        self._config = _ServerConfig(certificate, plain, secure)
        self._stop: Future[None] = Future()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="local-stack", daemon=True)

    def start(self) -> None:
        """Return once requests are served; raises what prevents it."""
        self._thread.start()
        self._started.result(timeout=START_SECONDS)

    def stop(self) -> None:
        """Stop serving. It may be called twice, and at any time."""
        if not self._stop.done():
            self._stop.set_result(None)
        self._thread.join(timeout=STOP_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if not self._started.done():
                self._started.set_exception(error)
            elif self._stop.done():
                _log.info(
                    "while stopping: %r", error
                )  # such as a TLS client that disconnects without closing
            else:
                raise

    async def _serve(self) -> None:
        application = self._make_application()
        asyncio.get_running_loop().set_exception_handler(_log_quietly)

        async def until_stopped() -> None:
            self._started.set_result(None)
            await asyncio.wrap_future(self._stop)

        await serve(application, self._config, shutdown_trigger=until_stopped)


class _ServerConfig(Config):
    """hypercorn's settings: sockets that are already bound, and a certificate that is not in a file."""

    accesslog = None
    errorlog = None
    graceful_timeout = 0.3
    ssl_enabled = True

    def __init__(self, certificate: trustme.LeafCert, plain: socket.socket, secure: socket.socket) -> None:
        super().__init__()
        self._certificate = certificate
        self._sockets = Sockets(secure_sockets=[secure], insecure_sockets=[plain], quic_sockets=[])

    def create_sockets(self) -> Sockets:
        return self._sockets

    def create_ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        self._certificate.configure_cert(context)
        return context


class _Server(TCPServer):
    """One connection, whose loss only the reader reports.

    In hypercorn 0.18 a failed write reports it, too: the application then writes to its own queue, which may be full.
    The connection would hang forever, and with it every later one with the same client ID.
    """

    async def protocol_send(self, event: Event) -> None:
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            with suppress(ConnectionError, RuntimeError):
                self.writer.write(event.data)
                await self.writer.drain()


setattr(hypercorn_run, "TCPServer", _Server)  # noqa: B010 hypercorn has no setting for this


def _log_quietly(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # asyncio reports a TLS client that disconnects without closing as an error. It is not one.
    _log.info("%s", context.get("exception") or context["message"])
