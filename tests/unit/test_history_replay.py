"""The history, then live messages: nothing is missing, and nothing comes twice."""

from datetime import timedelta
from pathlib import Path

from aws_iot.history.replay import Replay
from aws_iot.history.store import Filter, History
from tests.histories import ALICE, NOW, message, recorder, save, texts


def test_a_message_comes_from_the_history_or_live(tmp_path: Path) -> None:
    path = tmp_path / "file"
    saved = [
        message("old", "1", at=0),
        message("new", "2", at=10),
        message("from npm", at=11),
        message("edited", "3", at=12, kind="edit", re="2"),
        message("news", at=13, retained=True),
    ]
    save(path, *saved)
    with History(path) as history:
        replay = Replay(history, Filter(since=NOW + timedelta(seconds=5)))
        printed = texts(replay.entries())
        live = [
            *(one._replace(received=one.received + timedelta(seconds=1)) for one in saved[1:4]),
            message("news", at=900, retained=True),
            message("from npm", at=12.5),
            message("new of another", "2", sender=ALICE, at=13),
            message("later", "4", at=14),
        ]
        printed += [one.text for one in live if not replay.covers(one)]
    assert printed == ["edited", "from npm", "news", "from npm", "new of another", "later"]


def test_what_is_saved_while_the_history_is_printed_is_live(tmp_path: Path) -> None:
    path = tmp_path / "file"
    save(path, *(message(str(number), str(number), at=number) for number in range(5)))
    late = message("late", "late", at=9)
    with History(path) as history, recorder(path) as recording:
        replay = Replay(history, Filter())
        entries = replay.entries()
        printed = [next(entries).message.text]
        recording.add(late)
        recording.flush()
        printed += texts(entries)
        printed += [one.text for one in [late] if not replay.covers(one)]
    assert printed == ["0", "1", "2", "3", "4", "late"]
