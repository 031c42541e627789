"""Numbered messages through trouble, and which of them were lost or came twice."""

import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aws_iot.app import App
from aws_iot.auth.credentials import Credentials, RefreshingCredentials
from aws_iot.aws.iot.connection import IotCoreConnection
from aws_iot.errors import AwsIotError
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.deliveries import Delivery, Flush
from tests.processes import Person, Running, Stack
from tests.waiting import DEADLINE_SECONDS

ROOM = "stream"


@contextmanager
def connected(
    stack: Stack,
    person: Person,
    *,
    port: int | None = None,
    durable: str | None = None,
    now: Callable[[], datetime] | None = None,
) -> Iterator[IotCoreConnection]:
    """A connection of a person, with credentials that are renewed; `port` is of a proxy on the way."""
    app, profile = stack.app(), stack.profile
    session = stack.sign_in(person.username)

    def issue() -> Credentials:
        return app.auth.issuer(profile).issue(session)

    credentials = RefreshingCredentials(issue(), issue, app.settings.now)
    if port:
        profile = profile._replace(endpoint=profile.endpoint._replace(port=port))
    connection = IotCoreConnection.open(
        profile, person.identity, credentials.current, now or app.settings.now, 10.0, durable
    )
    try:
        yield connection
    finally:
        connection.close()


def through(stack: Stack, person: Person, port: int) -> dict[str, str]:
    """The environment of a person, with a copy of their settings in which the broker is a proxy at that port."""
    endpoint = stack.profile.endpoint._replace(port=port)
    folder = Path(person.env["AWS_IOT_CONFIG_DIR"])
    # A command that is running may write its history, and nobody needs that here.
    without = shutil.ignore_patterns("history")
    copy = shutil.copytree(folder, folder.with_name(f"{folder.name}-{port}"), ignore=without)
    App.in_folder(copy).config.profiles.change(
        stack.profile.key, lambda _: stack.profile._replace(endpoint=endpoint)
    )
    return person.env | {"AWS_IOT_CONFIG_DIR": str(copy)}


@contextmanager
def running(line: str, env: dict[str, str]) -> Iterator[Running]:
    """A command that is ended at the end of the block, if it still runs."""
    process = Running(line, env)
    try:
        yield process
    except BaseException as error:
        error.add_note(process.report())
        raise
    finally:
        process.kill()


def numbers(folder: Path, count: int) -> Path:
    """A file of so many lines, each its number from 0."""
    file = folder / "numbers"
    file.write_text("".join(f"{number}\n" for number in range(count)))
    return file


@dataclass
class Listener:
    """Receives the numbers as `sub` does: duplicates are dropped by their message ID."""

    connection: IotCoreConnection
    heard: Counter[int] = field(default_factory=Counter)
    order: list[int] = field(default_factory=list)
    links: list[Lost | Restored] = field(default_factory=list)
    """The events of its own connection."""

    @classmethod
    @contextmanager
    def start(
        cls, stack: Stack, *, port: int | None = None, durable: str | None = None
    ) -> Iterator["Listener"]:
        """A listener that receives everything that is sent within the `with` block."""
        person = stack.person()
        with connected(stack, person, port=port, durable=durable) as connection:
            client = stack.app().messaging.client(stack.profile, connection, person.identity, "listener")
            client.subscribe(ROOM)
            listener = cls(connection)
            threading.Thread(target=listener._listen, args=(client,), daemon=True).start()
            yield listener

    def __post_init__(self) -> None:
        self._changed = threading.Condition()

    def _listen(self, client: Client) -> None:
        try:
            for event in client.events():
                with self._changed:
                    if isinstance(event, Delivery):
                        number = int(event.message.text)
                        self.heard[number] += 1
                        self.order.append(number)
                        event.ack()
                    elif not isinstance(event, Flush):
                        self.links.append(event)
                    self._changed.notify_all()
        except AwsIotError:
            return

    def wait_until(self, happened: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
        """Return when it has happened. Fail if nothing arrives for `seconds`."""
        with self._changed:
            while not happened():
                moved = self._changed.wait(seconds)
                assert moved, f"nothing more for {seconds} s after {len(self.heard)} numbers: {self.links}"

    def wait_for(self, count: int) -> None:
        """Return when `count` different numbers have arrived."""
        self.wait_until(lambda: len(self.heard) >= count)

    def assert_all_once(self, count: int) -> None:
        """Wait for each number below `count`; none may arrive twice."""
        self.wait_for(count)
        assert self.missing(count) == []
        assert [number for number, times in self.heard.items() if times > 1] == []

    def missing(self, count: int) -> Sequence[int]:
        """The numbers below `count` that have not arrived yet."""
        return [number for number in range(count) if number not in self.heard]


def new_id() -> str:
    """A new message ID."""
    return os.urandom(16).hex()
