"""LocalStack: starts the services on 127.0.0.1, provisions them from the template, and stops them."""

import asyncio
import json
import logging
import os
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import trustme
from hypercorn.asyncio import run as hypercorn_run
from hypercorn.asyncio import serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config, Sockets
from hypercorn.events import Event, RawData

from aws_iot.config.exports import from_exports, to_exports
from aws_iot.config.profile import Profile
from aws_iot.errors import Unreachable
from aws_iot.files import read, write_private

if TYPE_CHECKING:
    from aws_iot.local.faults import Refusal

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STACK = "chat"
CONFIRMATION_CODE = "123456"
RESET_CODE = "654321"
ADMINISTRATOR = "administrator"
"""The user of the local account that an admin is."""

API_PORT = 4566
MQTT_PORT = 8443

START_SECONDS = 30
STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What provisioning leaves: how to reach the services, and the keys of the account's administrator."""

    profile: Profile
    access_key_id: str
    secret_access_key: str = field(repr=False)

    def shared_credentials(self) -> str:
        """The keys as AWS's shared credentials file has them."""
        keys = f"aws_access_key_id = {self.access_key_id}\naws_secret_access_key = {self.secret_access_key}"
        return f"[default]\n{keys}\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """What testers may want other than usual: what `aws_iot.local.faults` has, and `aws_iot.local.memory`."""

    credentials_seconds: float | None = None
    link_seconds: float | None = None
    refusal: "Refusal" = "puback"
    keep: bool = False


class LocalStack:
    """All services of the local stack, from `__enter__` to `__exit__`; one in a process.

    They run on a thread. Of two stacks in two processes neither sees the other's data.
    """

    def __init__(
        self,
        folder: Path,
        provision: Callable[["LocalStack"], "Provisioned"],
        *,
        api_port: int | None = None,
        mqtt_port: int | None = None,
        verbose: bool = False,
        settings: Settings = Settings(),
    ) -> None:
        """`folder` gets the certificate of the stack's own authority and, in the form of AWS's shared
        credentials file, the administrator's keys; `provision` deploys the template.

        A port of None means the usual one, or any free one where that is taken; a port that is
        asked for and taken raises `Unreachable` on entry. With `settings.keep` a second start in the same
        folder has the ports, the accounts, the keys and the authority of the first.
        """
        self._folder = folder
        self._settings = settings
        self.ca_file = folder / "ca.pem"
        self.admin_file = folder / "admin-credentials"
        # The engine takes the root user's key id for enough, whatever the signature, so it is the secret.
        self.root_key = secrets.token_hex(24)
        self._provision = provision
        self._ports = (api_port, mqtt_port)
        self._verbose = verbose
        self._stop: Future[None] = Future()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="local-stack", daemon=True)

    api_url: str
    """Where Cognito, IoT Core's control plane, CloudFormation and IAM answer."""

    endpoint: str
    """Where the broker listens."""

    profile: Profile
    """How to reach it all; there once it is entered."""

    def __enter__(self) -> Self:
        self._kept = _Kept.read(self._folder) if self._settings.keep else None
        self._authority = (
            self._kept.authority if self._kept else trustme.CA(organization_name="aws-iot local")
        )
        api, mqtt = self._ports if self._kept is None else self._kept.ports
        self._api = _listen(api, API_PORT)
        self._mqtt = _listen(mqtt, MQTT_PORT)
        self.api_url = f"http://{HOST}:{self._api.getsockname()[1]}"
        self.endpoint = f"wss://{HOST}:{self._mqtt.getsockname()[1]}/mqtt"
        self._thread.start()
        try:
            self._started.result(timeout=START_SECONDS)
            self.profile = self._kept.profile if self._kept else self._provisioned()
        except BaseException:
            self._shut_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut_down()

    def _provisioned(self) -> Profile:
        provisioned = self._provision(self)
        write_private(self.admin_file, provisioned.shared_credentials().encode())
        if self._settings.keep:
            _Kept(provisioned.profile, self._authority).write(self._folder)
        return provisioned.profile

    def _shut_down(self) -> None:
        if not self._stop.done():
            self._stop.set_result(None)
        self._thread.join(timeout=STOP_SECONDS)

    # -- the services, on their own thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if not self._started.done():
                self._started.set_exception(error)
            elif self._stop.done():
                _log.info("while stopping: %r", error)  # such as a TLS client that does not say goodbye
            else:
                raise

    async def _serve(self) -> None:
        state = self._folder / "state" if self._settings.keep else None
        _configure_engine(self._api.getsockname()[1], self.root_key, self._verbose, state)
        from aws_iot.local import faults, memory
        from aws_iot.local.gateway import Gateway
        from aws_iot.local.patches import aliases, corrections, policy

        aliases.enforce()
        corrections.enforce(f"{HOST}:{self._mqtt.getsockname()[1]}")
        policy.enforce()
        if self._settings.credentials_seconds is not None:
            faults.shorten_credentials(self._settings.credentials_seconds)
        if self._kept:
            memory.restore()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_quietly)

        async def until_stopped() -> None:
            self._started.set_result(None)
            await asyncio.wrap_future(self._stop)

        config = _ServerConfig(self._certificate(), self._api, self._mqtt)
        # hypercorn types each kind of scope and event
        gateway: Any = Gateway(
            ACCOUNT,
            REGION,
            self.root_key,
            faults.Faults(self._settings.link_seconds, self._settings.refusal),
            memory.save if self._settings.keep else None,
        )
        await serve(gateway, config, shutdown_trigger=until_stopped)

    def _certificate(self) -> trustme.LeafCert:
        write_private(self.ca_file, self._authority.cert_pem.bytes())
        return self._authority.issue_cert(HOST, "localhost")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a stack that is started again must have as before, besides what its services know."""

    profile: Profile
    authority: trustme.CA

    @property
    def ports(self) -> tuple[int | None, int | None]:
        return urlsplit(self.profile.iot_url or "").port, self.profile.endpoint.port

    @classmethod
    def read(cls, folder: Path) -> "_Kept | None":
        if (kept := read(folder / "kept.json")) is None:
            return None
        fields = json.loads(kept)
        authority = trustme.CA.from_pem(fields["certificate"].encode(), fields["key"].encode())
        return cls(from_exports(fields["exports"], str(folder)), authority)

    def write(self, folder: Path) -> None:
        kept = {
            "exports": to_exports(self.profile),
            "certificate": self.authority.cert_pem.bytes().decode(),
            "key": self.authority.private_key_pem.bytes().decode(),
        }
        write_private(folder / "kept.json", json.dumps(kept).encode())


class _ServerConfig(Config):
    """hypercorn on sockets that are already bound, with a certificate that is no file of ours."""

    accesslog = None
    errorlog = None
    graceful_timeout = 0.3
    ssl_enabled = True

    def __init__(self, certificate: trustme.LeafCert, api: socket.socket, mqtt: socket.socket) -> None:
        super().__init__()
        self._certificate = certificate
        self._sockets = Sockets(secure_sockets=[mqtt], insecure_sockets=[api], quic_sockets=[])

    def create_sockets(self) -> Sockets:
        return self._sockets

    def create_ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.set_alpn_protocols(["http/1.1"])
        self._certificate.configure_cert(context)
        return context


class _Server(TCPServer):
    """One connection, whose loss is told by whoever reads from it.

    hypercorn 0.18 has it told by whoever finds that he cannot write, too: by the application, to itself, into a queue
    that may be full. The link then hangs for ever, and with it each link that comes with the same client id.
    """

    async def protocol_send(self, event: Event) -> None:
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        async with self.send_lock:
            with suppress(ConnectionError, RuntimeError):
                self.writer.write(event.data)
                await self.writer.drain()


setattr(hypercorn_run, "TCPServer", _Server)  # noqa: B010 which has no place for a server of one's own


def _listen(wanted: int | None, usual: int) -> socket.socket:
    """A socket on `wanted`, or, if that is None, on `usual` or else on a free port."""
    for port in (usual, 0) if wanted is None else (wanted,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name != "nt":  # on Windows it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio forgets it on sockets that it did not make: an answer in two parts would wait 40 ms in between.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            taken = error
            continue
        listener.setblocking(False)
        return listener
    raise Unreachable(
        f"port {wanted} cannot be used: {taken.strerror}", hint="Choose another, or none for a free one."
    )


def _configure_engine(api_port: int, root_key: str, verbose: bool, state: Path | None) -> None:
    """The engine reads its settings from the environment, most when it is imported, and logs to stderr."""
    os.environ.update(
        AUTH="true",
        GATEWAY_PORT=str(api_port),
        MINISTACK_HOST=HOST,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        LOG_LEVEL="INFO" if verbose else "CRITICAL",
        IOT_MTLS_ENABLED="false",
        SFTP_ENABLED="0",
        PERSIST_STATE="0" if state is None else "1",
        AWS_ACCESS_KEY_ID=root_key,  # else whoever has the user's own keys would be its root
        AWS_SECRET_ACCESS_KEY=root_key,
    )
    os.environ.pop("AWS_SESSION_TOKEN", None)
    if state is not None:
        state.mkdir(mode=0o700, exist_ok=True)
        os.environ["STATE_DIR"] = str(state)


def _log_quietly(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # A TLS client that just goes away is reported as an error; it is none.
    _log.info("%s", context.get("exception") or context["message"])
