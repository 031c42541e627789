"""The spool: unsent messages stay in order, for the user who sends them, whichever program adds them."""

import shlex
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_iot.errors import InvalidMessage, LocalError, ServiceRefused, TopicRefused
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool.store import BATCH_MESSAGES, MIGRATIONS, Spool, SpoolInUse, Waiting
from tests.waiting import DEADLINE_SECONDS


def message(number: object) -> Outgoing:
    return Outgoing("lobby", str(number).encode(), f"ab12-{number}")


def spool_in(folder: Path, pool: str = "pool", username: str | None = "alice") -> Spool:
    return Spool(folder, pool, username)


def all_unsent(spool: Spool) -> list[Outgoing]:
    found: list[Outgoing] = []
    last = 0
    while batch := spool.unsent(last):
        last = batch[-1][0]
        found += [unsent for _, unsent in batch]
    return found


def test_messages_stay_in_order_however_many_there_are(tmp_path: Path) -> None:
    with spool_in(tmp_path / "spool") as spool:
        for number in range(2 * BATCH_MESSAGES + 1):
            spool.add(message(number))
    with spool_in(tmp_path / "spool") as spool:
        assert all_unsent(spool) == [message(number) for number in range(2 * BATCH_MESSAGES + 1)]
        assert spool.count() == 2 * BATCH_MESSAGES + 1


def test_a_removed_message_is_gone_and_a_copy_is_not_added(tmp_path: Path) -> None:
    saved = Outgoing("lobby", b"\xff\x00", "2", 0, True, "edit", "1")
    with spool_in(tmp_path) as spool:
        for added in (message(1), saved, saved, message(3)):
            spool.add(added)
        spool.remove([message(1).id, message(3).id, "unknown"])
        assert all_unsent(spool) == [saved]


def test_messages_that_are_added_later_have_higher_numbers(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        spool.add(message(1))
        end = spool.last()
        spool.remove([message(1).id])
        spool.add(message(2))
        assert spool.unsent(0, end) == []
        assert [unsent for _, unsent in spool.unsent(end)] == [message(2)]


def test_several_programs_can_add_at_once(tmp_path: Path) -> None:
    def add(program: int) -> None:
        with spool_in(tmp_path) as spool:
            for number in range(50):
                spool.add(message(f"{program}-{number}"))

    programs = [threading.Thread(target=add, args=(program,)) for program in range(4)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    with spool_in(tmp_path) as spool:
        assert spool.count() == 200
        assert spool.count("ab12-3-") == 50


def test_one_program_at_a_time_sends_for_a_user(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool, spool_in(tmp_path) as other, spool_in(tmp_path, username="bob") as bob:
        with spool.sending() as first, other.sending() as second, bob.sending() as third:
            assert (first, second, third) == (True, False, True)
        with other.sending() as second:
            assert second


def test_nobody_else_sends_a_user_s_messages(tmp_path: Path) -> None:
    with spool_in(tmp_path, username=None) as spool:
        spool.add(message("of the first user who sends"))
    with spool_in(tmp_path) as spool:
        spool.add(message("of alice"))
    with spool_in(tmp_path, "other") as spool:
        spool.add(message("for another pool"))
        assert all_unsent(spool) == [message("for another pool")]
    with spool_in(tmp_path, username="bob") as spool, spool_in(tmp_path, username="carol") as later:
        with spool.sending(), later.sending():
            assert all_unsent(spool) == [message("of the first user who sends")]
            assert all_unsent(later) == []
        assert spool.others() == [("other", "alice", 1), ("pool", "alice", 1)]


def test_the_messages_of_a_chat_are_not_found_while_it_starts_or_ends(tmp_path: Path) -> None:
    def run_chats() -> None:
        for number in range(300):
            with Spool(tmp_path, "pool", "alice", chat=f"chat{number}") as chat:
                chat.add(message(number))
                chat.remove([message(number).id])

    chats = threading.Thread(target=run_chats)
    with spool_in(tmp_path) as other:
        chats.start()
        while chats.is_alive():
            assert other.unsent() == []


ADD_AND_WAIT = """
import sys
from pathlib import Path
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool.store import Spool

with Spool(Path(sys.argv[1]), "pool", "alice", chat="one") as spool:
    spool.add(Outgoing("lobby", b"of the chat", "ab12-of the chat"))
    print("added", flush=True)
    sys.stdin.read()
"""


def test_nobody_else_sends_the_messages_of_a_chat_while_it_runs(tmp_path: Path) -> None:
    with Spool(tmp_path, "pool", "alice", chat="one") as chat, spool_in(tmp_path) as other, other.sending():
        chat.add(message("of the chat"))
        other.add(message("of another program"))
        assert all_unsent(other) == [message("of another program")]
        with pytest.raises(SpoolInUse):
            other.clear()
    with spool_in(tmp_path) as later:
        assert all_unsent(later) == [message("of the chat"), message("of another program")]


def test_the_messages_of_a_chat_that_was_killed_are_found_and_its_lock_is_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD_AND_WAIT, str(tmp_path)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as chat,
        spool_in(tmp_path) as other,
    ):
        assert chat.stdout
        assert chat.stdout.readline() == b"added\n"
        assert all_unsent(other) == []
        chat.kill()
        chat.wait(DEADLINE_SECONDS)
        assert all_unsent(other) == [message("of the chat")]
        with other.sending():
            assert not [path.name for path in tmp_path.iterdir() if "chat" in path.name]


def test_a_rejection_is_returned_once_to_the_program_that_added_the_message(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool:
        for number in (1, 2):
            spool.add(message(number))
        spool.reject(message(1).id, ServiceRefused("too much"))
        assert all_unsent(spool) == [message(2)]
        assert spool.take_rejections("cd34") == []
        [(message_id, error)] = spool.take_rejections("ab12")
        assert (message_id, str(error)) == (message(1).id, "too much")
        assert spool.take_rejections("ab12") == []


def test_a_rejection_keeps_its_exit_code(tmp_path: Path) -> None:
    errors = [ServiceRefused("limit"), TopicRefused("not authorized"), InvalidMessage("too large")]
    with spool_in(tmp_path) as spool:
        for number, error in enumerate(errors):
            spool.reject(message(number).id, error)
        found = [(str(error), error.exit_code) for _, error in spool.take_rejections("ab12")]
    assert found == [(str(error), error.exit_code) for error in errors]


def test_a_rejection_from_an_earlier_version_is_one_by_the_service(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None)
    for migration in MIGRATIONS[:3]:
        database.execute(migration)
    database.execute("PRAGMA user_version = 3")
    database.execute("INSERT INTO refused VALUES ('ab12-1', 'too much', ?)", (time.time(),))
    database.close()
    with spool_in(tmp_path) as spool:
        [(_, error)] = spool.take_rejections("ab12")
    assert type(error) is ServiceRefused


def write_first_version(folder: Path) -> None:
    """A spool with one message, as the first version of the program wrote it."""
    database = sqlite3.connect(folder / "spool.sqlite3")
    with database:
        database.execute(MIGRATIONS[0])
        database.execute("INSERT INTO waiting VALUES (1, 'pool', 'lobby', x'78', 'ab12-1', 1, 0)")
    database.close()


def test_messages_from_an_earlier_version_are_found(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    with spool_in(tmp_path) as spool, spool.sending():
        assert all_unsent(spool) == [Outgoing("lobby", b"x", "ab12-1")]


@pytest.mark.parametrize("done", range(len(MIGRATIONS)))
def test_a_program_that_was_killed_during_a_migration_does_not_block_others(
    tmp_path: Path, done: int
) -> None:
    database = sqlite3.connect(tmp_path / "spool.sqlite3", isolation_level=None)
    for number, step in enumerate(MIGRATIONS[:done], 1):
        database.execute(step)
        database.execute(f"PRAGMA user_version = {number}")
    if done < len(MIGRATIONS):
        database.execute("BEGIN IMMEDIATE")  # which ends with the process
        database.execute(MIGRATIONS[done])
    database.close()
    with spool_in(tmp_path) as spool:
        spool.add(message(1))
        assert spool.count() == 1


def test_an_interrupted_removal_is_undone_and_later_ones_work(tmp_path: Path) -> None:
    def interrupted() -> Iterator[str]:
        yield message(1).id
        raise KeyboardInterrupt

    with spool_in(tmp_path) as spool:
        for number in (1, 2):
            spool.add(message(number))
        with pytest.raises(KeyboardInterrupt):
            spool.remove(interrupted())
        spool.remove([message(2).id])
        assert all_unsent(spool) == [message(1)]


@pytest.mark.parametrize("damage", [b"nonsense" * 200, b"SQLite format 3\x00" + b"x" * 4096])
def test_a_damaged_file_is_a_local_error(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "spool.sqlite3").write_bytes(damage)
    with pytest.raises(LocalError, match="the spool cannot be used"), spool_in(tmp_path):
        pass


def test_messages_that_are_added_after_another_program_used_the_spool_are_seen_by_the_next(
    tmp_path: Path,
) -> None:
    script = (
        "import pathlib, sys; from aws_iot.publishing.spool.store import Spool\n"
        "with Spool(pathlib.Path(sys.argv[1]), 'pool', 'alice') as spool: print(spool.count())"
    )

    def count() -> int:
        command = [sys.executable, "-c", script, str(tmp_path)]
        return int(subprocess.run(command, capture_output=True, check=True, timeout=DEADLINE_SECONDS).stdout)

    # One process has two open, one for each thread: opening the second must not release a lock of the first.
    with spool_in(tmp_path) as first, spool_in(tmp_path) as second:
        first.add(message(1))
        assert count() == 1
        first.add(message(2))
        assert second.count() == 2
        assert count() == 2
        second.add(message(3))
        assert (first.count(), count()) == (3, 3)


def test_the_unsent_messages_of_every_user_and_pool_can_be_listed(tmp_path: Path) -> None:
    began = time.time()
    with spool_in(tmp_path) as spool, spool_in(tmp_path, username="bob") as of_bob:
        spool.add(message(1))
        spool.add(message(2)._replace(room="ops"))
        of_bob.add(message(3))
        alice, bob = spool.waiting()
    assert alice._replace(oldest=None) == Waiting("pool", "alice", 2, None, ("lobby", "ops"))
    assert bob._replace(oldest=None) == Waiting("pool", "bob", 1, None, ("lobby",))
    assert alice.oldest
    assert bob.oldest
    assert began - 1 <= alice.oldest <= bob.oldest <= time.time() + 1


def test_the_age_of_a_message_from_an_earlier_version_is_unknown(tmp_path: Path) -> None:
    write_first_version(tmp_path)
    with spool_in(tmp_path) as spool, spool.sending():
        spool.add(message(2))
        assert [one.oldest for one in spool.waiting()] == [None]


def test_a_spool_is_cleared_and_nothing_of_it_stays_on_the_disk(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool, spool_in(tmp_path, username="bob") as of_bob:
        spool.add(message("secret-words"))
        of_bob.add(message(2))
        spool.reject("other-1", ServiceRefused("no"))
        assert spool.clear() == 2
        assert spool.waiting() == []
        assert spool.take_rejections("other") == []
        spool.add(message(3))
    assert b"secret-words" not in b"".join(f.read_bytes() for f in tmp_path.iterdir() if f.is_file())


def test_a_spool_is_not_cleared_while_a_program_sends_from_it(tmp_path: Path) -> None:
    with spool_in(tmp_path) as spool, spool_in(tmp_path, username="bob") as of_bob:
        spool.add(message(1))
        with of_bob.sending(), pytest.raises(SpoolInUse):
            spool.clear()
        assert spool.count() == 1
        assert spool.clear() == 1


FILL_AND_EMPTY = """
import sys
from pathlib import Path
from aws_iot.errors import LocalError
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool.store import Spool

folder, size = Path(sys.argv[1]), int(sys.argv[2])
saved = 0
with Spool(folder, "pool", None) as spool:  # the user is not known yet
    try:
        while True:
            spool.add(Outgoing("lobby", b"x" * size, f"a-{saved}", 1, False))
            saved += 1
    except LocalError:
        assert spool.count() == saved > 10
    try:
        with (folder.parent / "of another program").open("wb", buffering=0) as file:
            while file.write(b"x" * 512):
                pass
    except OSError:
        pass
with Spool(folder, "pool", None) as spool:
    for _, message in spool.unsent():
        spool.note_published(message.id)
with Spool(folder, "pool", "alice") as spool, spool.sending():
    while batch := spool.unsent():
        done = [message.id for _, message in batch[: 10_000 // size or len(batch)]]
        spool.remove(done)
    spool.compact()
with Spool(folder, "pool", "alice") as spool:
    assert spool.count() == 0
    spool.add(Outgoing("lobby", b"x", "b-1", 1, False))
"""


def fill_and_empty(tmp_path: Path, size: int, *before: str) -> None:
    """Save messages of `size` bytes, without a user, while that is possible. Then publish, claim and remove them."""
    command = [*before, sys.executable, "-c", FILL_AND_EMPTY, str(tmp_path / "disk" / "spool"), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_messages_that_have_reached_the_limit_for_a_file_can_be_removed(tmp_path: Path) -> None:
    fill_and_empty(tmp_path, 1_000, "sh", "-c", 'ulimit -f 600; exec "$@"', "sh")


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk in a namespace of its own")
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_messages_that_have_filled_the_disk_can_be_removed(tmp_path: Path, size: int) -> None:
    (disk := tmp_path / "disk").mkdir()
    mount = f'mount -t tmpfs -o size=4m tmpfs {shlex.quote(str(disk))} && exec "$@"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("this machine allows no namespaces")
    fill_and_empty(tmp_path, size, *unshare)
