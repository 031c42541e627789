"""`LocalStack`: starts the services on 127.0.0.1, deploys the template, and stops them."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trustme

from aws_iot.config.exports import from_exports, to_exports
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError
from aws_iot.files import parsed, read, write_private
from aws_iot.local import engine, notices
from aws_iot.local.engine import EngineSettings
from aws_iot.local.server import HOST, ServerThread, listen

STACK = "chat"
CONFIRMATION_CODE = "123456"
RESET_CODE = "654321"
ADMINISTRATOR = "administrator"
"""The IAM user with all permissions."""

ADMIN_FILE = "admin-credentials"
"""The file with the administrator's keys, in the folder of the stack."""

API_PORT = 4566
MQTT_PORT = 8443


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A deployed stack: how to reach the services, and the keys of the account's administrator."""

    profile: Profile
    access_key_id: str
    secret_access_key: str = field(repr=False)

    def shared_credentials(self) -> str:
        """The keys, in the format of AWS's shared credentials file."""
        keys = f"aws_access_key_id = {self.access_key_id}\naws_secret_access_key = {self.secret_access_key}"
        return f"[default]\n{keys}\n"


PORT_TAKEN = "Choose another with {option}, or omit that to use a free one."
"""The hint if a port that an option names is in use."""

SAVED_PORT_TAKEN = (
    "The accounts that --keep saved need this port. Stop the program that uses it, or start without --keep:"
    " that uses free ports, and new accounts."
)
"""The hint if a port of the last start with `--keep` is in use. Its profiles name that port."""


class LocalStack:
    """All services of the local stack, from `__enter__` to `__exit__`, on a thread; one stack per process.

    Stacks of different processes share no data.
    """

    def __init__(
        self, folder: Path, provision: Callable[["LocalStack"], Provisioned], settings: EngineSettings
    ) -> None:
        """`provision` deploys the template.

        `folder` gets the certificate of the stack's own authority, and the administrator's keys in the format of
        AWS's shared credentials file.
        """
        self.folder = folder
        self._settings = settings
        self._provision = provision
        # The engine accepts the root user's key ID with any signature, so the ID itself is the secret.
        self.root_key = secrets.token_hex(24)

    api_url: str
    """Where Cognito, the IoT control plane, CloudFormation and IAM answer."""

    endpoint: str
    """Where the broker listens, as a URL."""

    profile: Profile
    """How to reach all of it."""

    _services: ServerThread

    @property
    def ca_file(self) -> Path:
        """The certificate of the stack's own authority."""
        return self.folder / "ca.pem"

    @property
    def admin_file(self) -> Path:
        """The administrator's keys."""
        return self.folder / ADMIN_FILE

    @property
    def leaves_saved_accounts(self) -> bool:
        """Whether an earlier start with `keep` has saved accounts, which this one neither has nor changes."""
        return not self._settings.keep and _SavedStack.file(self.folder).exists()

    def notices(self) -> list[str]:
        """What the person who runs the stack must know, since the last call: messages that are lost, for example."""
        return notices.take()

    def __enter__(self) -> Self:
        """Raises `Unreachable` if a requested port is in use, `LocalError` if what is saved cannot be read."""
        saved = _SavedStack.read(self.folder) if self._settings.keep else None
        authority = saved.authority if saved else trustme.CA(organization_name="aws-iot local")
        api_port, mqtt_port = saved.ports if saved else (self._settings.api_port, self._settings.mqtt_port)
        api = listen(api_port, API_PORT, SAVED_PORT_TAKEN if saved else PORT_TAKEN.format(option="--port"))
        mqtt = listen(
            mqtt_port, MQTT_PORT, SAVED_PORT_TAKEN if saved else PORT_TAKEN.format(option="--mqtt-port")
        )
        broker = f"{HOST}:{mqtt.getsockname()[1]}"
        self.api_url = f"http://{HOST}:{api.getsockname()[1]}"
        self.endpoint = f"wss://{broker}/mqtt"
        write_private(self.ca_file, authority.cert_pem.bytes())

        def application() -> object:
            engine.configure(api.getsockname()[1], self.root_key, self._settings, self.folder / "state")
            return engine.start(broker, self.root_key, self._settings, restores=saved is not None)

        certificate = authority.issue_cert(HOST, "localhost")
        self._services = ServerThread(application, certificate, plain=api, secure=mqtt)
        try:
            self._services.start()
            provisioned = saved.provisioned if saved else self._deploy(authority)
            # Always: a start without `keep` has replaced the file by the keys of a deleted account.
            write_private(self.admin_file, provisioned.shared_credentials().encode())
            self.profile = provisioned.profile._replace(
                local_stack=str(self.folder), admin_credentials_file=str(self.admin_file)
            )
        except BaseException:
            self._services.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._services.stop()

    def _deploy(self, authority: trustme.CA) -> Provisioned:
        provisioned = self._provision(self)
        if self._settings.keep:
            _SavedStack(provisioned, authority).write(self.folder)
        return provisioned


@dataclass(frozen=True, slots=True)
class _SavedStack:
    """What must be the same at the next start, apart from the engine's own state."""

    provisioned: Provisioned
    authority: trustme.CA = field(repr=False)

    @property
    def ports(self) -> tuple[int | None, int | None]:
        """The ports of the HTTP services and of the broker."""
        profile = self.provisioned.profile
        return urlsplit(profile.iot_url or "").port, profile.endpoint.port

    @staticmethod
    def file(folder: Path) -> Path:
        return folder / "kept.json"

    @classmethod
    def read(cls, folder: Path) -> "_SavedStack | None":
        if (saved := read(cls.file(folder))) is None:
            return None
        try:
            fields = parsed(saved)
            authority = trustme.CA.from_pem(fields["certificate"].encode(), fields["key"].encode())
            profile = from_exports(fields["exports"], str(folder))
            return cls(Provisioned(profile, *fields["administrator"]), authority)
        except (ValueError, LookupError, TypeError) as error:
            raise LocalError(
                f"{cls.file(folder)} is damaged, or of an earlier version",
                hint=f"To start without the accounts that it has saved, remove the folder {folder}",
            ) from error

    def write(self, folder: Path) -> None:
        fields = {
            "exports": to_exports(self.provisioned.profile),
            "administrator": [self.provisioned.access_key_id, self.provisioned.secret_access_key],
            "certificate": self.authority.cert_pem.bytes().decode(),
            "key": self.authority.private_key_pem.bytes().decode(),
        }
        write_private(self.file(folder), json.dumps(fields).encode())
