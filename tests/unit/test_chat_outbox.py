"""The outbox: what waits can be taken back until a program has given it to the broker, and is then never sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.parts.outbox import LOOK_SECONDS, MAY_HAVE_ARRIVED, Outbox
from aws_iot.errors import LocalError
from aws_iot.messaging.client import Client
from aws_iot.messaging.composer import Composer
from aws_iot.messaging.connection import Done, Publication
from aws_iot.messaging.message import Outgoing, encode
from aws_iot.publishing.spool.store import Spool
from tests.fakes import POOL, FakeCloud, FakeConnection
from tests.waiting import wait_until

ME = "us-east-1:a11ce"
GONE = on.Noticed("It was sent or rejected meanwhile.")
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def now() -> datetime:
    return AT


class DeadConnection(FakeConnection):
    """The connection is lost, and nobody has noticed it yet: nothing is acknowledged."""

    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud, ME)
        self.taken: list[Publication] = []

    def send(self, publication: Publication, done: Done) -> None:
        self.taken.append(publication)


class Sender:
    """An outbox on a spool, and what it tells."""

    def __init__(self, open_spool: Callable[[], Spool], look_seconds: float = LOOK_SECONDS) -> None:
        self.told: list[on.Event] = []
        composer = Composer(POOL, ME, "alice", now, str)
        self.outbox = Outbox(
            open_spool, composer, "alice", self.told.append, lambda _: None, now, look_seconds
        )
        self.outbox.start()
        self.wait_until_saved()  # by then, the first one leads

    def send(self, id_: str) -> None:
        self.outbox.send(do.Send("lobby", f"text {id_}", id_))

    def wait_until_saved(self) -> None:
        """Wait until everything that was asked for is done."""
        self.outbox.withdraw("no message")
        self.wait_for(GONE)
        self.told.remove(GONE)

    def connect(self, connection: FakeConnection) -> None:
        self.outbox.attach(Client(connection, pool=POOL, identity=ME, username="alice", now=now, new_id=str))

    def wait_for(self, event: on.Event) -> None:
        wait_until(lambda: event in self.told, lambda: f"{event} is not in {self.told}")


def withdrawn(id_: str) -> on.Withdrawn:
    return on.Withdrawn(id_, "lobby", f"text {id_}")


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    cloud.members.add(ME)
    return cloud


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Sender]]:
    """Starts outboxes on one spool, as chats of one person that run at the same time."""
    senders: list[Sender] = []

    def started(look_seconds: float = LOOK_SECONDS) -> Sender:
        def open_spool() -> Spool:
            return Spool(tmp_path / "spool", POOL, "alice", chat=f"{len(senders)}")

        senders.append(Sender(open_spool, look_seconds))
        return senders[-1]

    yield started
    for sender in senders:
        sender.outbox.close()


def payloads(cloud: FakeCloud) -> list[bytes]:
    return [payload for _, payload, _ in cloud.published]


def test_what_is_taken_back_before_there_is_a_connection_is_never_sent(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    sender = start()
    for id_ in ("one", "two", "three"):
        sender.send(id_)
    sender.outbox.withdraw("two")
    sender.wait_for(withdrawn("two"))
    sender.connect(FakeConnection(cloud, ME))
    sender.wait_for(on.Acknowledged("three"))
    assert payloads(cloud) == [encode("text one"), encode("text three")]
    sender.outbox.withdraw("one")
    sender.wait_for(GONE)
    sender.outbox.close()
    later = start()
    later.connect(FakeConnection(cloud, ME))
    later.send("four")
    later.wait_for(on.Acknowledged("four"))
    assert payloads(cloud)[2:] == [encode("text four")]


def test_what_the_broker_may_have_is_not_taken_back_not_even_by_a_later_run(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    sender = start()
    dead = DeadConnection(cloud)
    sender.connect(dead)
    sender.send("one")
    wait_until(lambda: bool(dead.taken))
    sender.outbox.withdraw("one")
    sender.wait_for(on.Noticed(MAY_HAVE_ARRIVED))
    sender.outbox.close()
    later = start()
    later.outbox.withdraw("one")
    later.wait_for(on.Noticed(MAY_HAVE_ARRIVED))
    later.connect(FakeConnection(cloud, ME))
    later.wait_for(on.Acknowledged("one"))
    assert not [event for event in sender.told + later.told if isinstance(event, on.Withdrawn)]


def test_what_is_sent_while_the_connection_is_lost_waits_until_it_is_restored(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    sender, connection = start(), DeadConnection(cloud)
    sender.connect(connection)
    sender.send("one")
    wait_until(lambda: len(connection.taken) == 1)
    sender.outbox.hold()
    sender.send("two")
    sender.send("three")
    sender.outbox.withdraw("two")
    sender.wait_for(withdrawn("two"))
    sender.outbox.release()
    wait_until(lambda: len(connection.taken) == 2)
    assert [one.payload for one in connection.taken] == [encode("text one"), encode("text three")]


def test_what_an_earlier_run_has_never_sent_can_be_taken_back(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    sender = start()
    sender.send("one")
    sender.outbox.close()
    later = start()
    later.wait_for(on.Unsent("one", "lobby", "text one", AT))
    later.outbox.withdraw("one")
    later.wait_for(withdrawn("one"))


def test_only_one_chat_sends_a_message_however_many_run_without_a_connection(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    first, author = start(), start()
    author.send("one")
    author.wait_until_saved()
    first.outbox.close()
    other = start()  # it leads now
    author.outbox.withdraw("one")
    author.wait_for(withdrawn("one"))
    author.send("two")
    author.wait_until_saved()
    for chat, id_ in ((other, "three"), (author, "four")):
        chat.send(id_)
        chat.connect(FakeConnection(cloud, ME))
        chat.wait_for(on.Acknowledged(id_))
    assert payloads(cloud) == [encode(f"text {id_}") for id_ in ("three", "two", "four")]
    assert not [event for event in other.told if isinstance(event, on.Unsent)]


def test_what_an_ended_chat_has_left_is_sent_without_a_new_connection(
    start: Callable[..., Sender], cloud: FakeCloud
) -> None:
    first, stays = start(), start(look_seconds=0.01)
    stays.connect(FakeConnection(cloud, ME))
    first.send("one")
    first.outbox.close()  # `stays` leads from now on
    stays.wait_for(on.Acknowledged("one"))
    later = start()
    later.send("two")
    later.outbox.close()
    stays.wait_for(on.Acknowledged("two"))
    assert payloads(cloud) == [encode("text one"), encode("text two")]


def test_the_first_chat_sends_what_another_one_has_left_from_its_next_connection_on(
    start: Callable[[], Sender], cloud: FakeCloud
) -> None:
    first, author = start(), start()
    first.connect(FakeConnection(cloud, ME))
    author.send("one")
    author.outbox.close()
    first.connect(FakeConnection(cloud, ME))
    first.wait_for(on.Acknowledged("one"))
    assert payloads(cloud) == [encode("text one")]


class FullDisk(Spool):
    """A spool that can be read, but not changed while `is_full`."""

    is_full = False

    def _change(self, *steps: tuple[str, Iterable[Sequence[object]]]) -> int:
        if self.is_full:
            raise LocalError("no space")
        return super()._change(*steps)


def test_what_the_full_disk_does_not_let_it_note_is_told_until_it_is_acknowledged(
    tmp_path: Path, cloud: FakeCloud
) -> None:
    spool, dead = FullDisk(tmp_path, POOL, "alice"), DeadConnection(cloud)
    sender = Sender(lambda: spool)
    sender.connect(dead)
    spool.is_full = True
    sender.send("one")
    sender.wait_for(
        on.Warned("no space; the next chat may show a message as not sent that was sent", on.Subject.OUTBOX)
    )
    wait_until(lambda: len(dead.taken) == 1)
    sender.outbox.withdraw("one")
    sender.wait_for(on.Noticed(MAY_HAVE_ARRIVED))
    sender.connect(FakeConnection(cloud, ME))
    sender.wait_for(on.Warned("", on.Subject.OUTBOX))
    sender.outbox.close()


def test_what_the_full_disk_does_not_let_it_remove_is_not_sent_again(
    start: Callable[[], Sender], tmp_path: Path, cloud: FakeCloud
) -> None:
    earlier = start()
    earlier.send("one")
    earlier.outbox.close()
    spool = FullDisk(tmp_path / "spool", POOL, "alice", chat="full")
    sender = Sender(lambda: spool)
    spool.is_full = True
    for id_ in ("two", "three"):
        sender.connect(FakeConnection(cloud, ME))
        sender.send(id_)
        sender.wait_for(on.Acknowledged(id_))
    assert payloads(cloud) == [encode(f"text {id_}") for id_ in ("one", "two", "three")]
    spool.is_full = False
    sender.outbox.close()
    with Spool(tmp_path / "spool", POOL, "alice") as later:
        assert later.unsent() == []


def test_without_a_spool_it_can_be_taken_back_as_well(cloud: FakeCloud) -> None:
    def broken() -> Spool:
        raise LocalError("no disk")

    sender = Sender(broken)
    sender.send("one")
    sender.send("two")
    sender.outbox.withdraw("one")
    sender.wait_for(withdrawn("one"))
    sender.connect(FakeConnection(cloud, ME))
    sender.wait_for(on.Acknowledged("two"))
    sender.outbox.close()
    assert payloads(cloud) == [encode("text two")]


def test_what_a_program_may_have_given_to_the_broker_is_not_withdrawn(tmp_path: Path) -> None:
    with Spool(tmp_path, POOL, "alice") as one, Spool(tmp_path, POOL, "alice") as other:
        for id_ in ("1", "2"):
            one.add(Outgoing("lobby", b"x", id_))
        one.note_published("1")
        assert not other.withdraw("1")
        assert other.withdraw("2")
        assert not one.withdraw("2")
        assert [found.id for _, found in one.unsent()] == ["1"]
