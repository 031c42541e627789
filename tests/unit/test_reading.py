"""What a person has read is noted when nothing more is read for a moment, and at the end."""

from pathlib import Path

from aws_iot.history.reading import ReadMarker
from aws_iot.history.store import History
from tests.histories import message, recorder, save
from tests.waiting import wait_until


def unread(path: Path) -> dict[str, int]:
    with History(path) as history:
        return {room.room: room.unread for room in history.rooms()}


def test_rooms_are_read_up_to_a_message(tmp_path: Path) -> None:
    path = tmp_path / "file"
    first, second = message("1", "1"), message("2", "2", at=1)
    save(path, first, second, message("3", "3", room="ops", at=2))
    with ReadMarker(path) as marker:
        marker.note({"lobby": first.received})
        wait_until(lambda: unread(path) == {"lobby": 1, "ops": 1})
        marker.note({"lobby": second.received})
        marker.note({"ops": message("", at=2).received, "unknown": first.received})
    assert unread(path) == {"lobby": 0, "ops": 0}


def test_what_is_not_sorted_in_yet_counts_as_read_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with recorder(path) as recording:
        recording.add(message("1", "1"))
        recording.flush()
        with ReadMarker(path) as marker:
            marker.note({"lobby": message("").received})
    assert unread(path) == {"lobby": 0}


def test_a_file_that_cannot_be_changed_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with ReadMarker(path) as marker:
        marker.note({"lobby": message("").received})
    assert not path.exists()
    path.write_text("no database" * 100)
    with ReadMarker(path) as marker:
        marker.note({"lobby": message("").received})
    assert path.read_text() == "no database" * 100
