"""The checkpoint: the next run continues where the last one ended, and sends nothing twice."""

import json
from pathlib import Path

import pytest

from aws_iot.errors import LocalError
from aws_iot.publishing.checkpoint import MAX_REJECTED, Checkpoint

LINES = [b"a", b"b", b"c", b"d", b"e"]


def read(checkpoint: Checkpoint, lines: list[bytes]) -> list[int]:
    """The numbers of the messages to send."""
    found = [number for number, line in enumerate(lines, 1) if checkpoint.wants(number, "lobby", line)]
    checkpoint.check_end(len(lines))
    return found


def test_the_next_run_continues_after_the_last_settled_message(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        assert read(checkpoint, LINES) == [1, 2, 3, 4, 5]
        checkpoint.save(3)
    later = Checkpoint(tmp_path / "progress")
    with later.open("cd34", "lobby"):
        assert later.stream == "ab12"
        assert read(later, LINES) == [4, 5]
        assert [later.number(place) for place in (1, 2)] == [4, 5]
        later.save(2)
        assert later.finish()
    assert list(tmp_path.iterdir()) == []


def test_only_rejected_messages_are_retried(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        read(checkpoint, LINES)
        checkpoint.reject(2)
        checkpoint.reject(4)
        checkpoint.save(5)
        assert not checkpoint.finish()
    later = Checkpoint(tmp_path / "progress")
    with later.open("cd34", "lobby"):
        assert read(later, [*LINES, b"f"]) == [2, 4, 6]
        assert [later.number(place) for place in (1, 2, 3)] == [2, 4, 6]
        later.reject(4)
        later.save(3)
        assert not later.finish()
    last = Checkpoint(tmp_path / "progress")
    with last.open("ef56", "lobby"):
        assert read(last, [*LINES, b"f"]) == [4]
        last.save(1)
        assert last.finish()


def test_an_interrupted_run_keeps_the_rejected_messages_that_it_did_not_retry(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        read(checkpoint, LINES)
        for number in (1, 2, 3):
            checkpoint.reject(number)
        checkpoint.save(5)
    again = Checkpoint(tmp_path / "progress")
    with again.open("cd34", "lobby"):
        read(again, LINES)
        again.save(1)
    last = Checkpoint(tmp_path / "progress")
    with last.open("ef56", "lobby"):
        assert read(last, LINES) == [2, 3]


def test_another_input_is_detected_before_any_of_it_is_sent(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        read(checkpoint, LINES)
        checkpoint.reject(2)
        checkpoint.save(4)
    for lines, error in (
        ([b"a", b"other", *LINES[2:]], "another input, which differs in line 2 or before"),
        ([*LINES[:2], b"other", *LINES[3:]], "another input, which differs in line 4 or before"),
        (LINES[:3], "ends at line 3, but earlier runs reached line 4"),
    ):
        later = Checkpoint(tmp_path / "progress")
        with later.open("cd34", "lobby"), pytest.raises(LocalError, match=error):
            read(later, lines)
    with (
        pytest.raises(LocalError, match="not for the room 'ops'"),
        Checkpoint(tmp_path / "progress").open("x", "ops"),
    ):
        pass


def test_a_message_that_could_not_be_sent_can_be_corrected_but_a_rejected_one_cannot(
    tmp_path: Path,
) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        for number, line in enumerate([b"a", None, b"c", b"d"], 1):
            assert checkpoint.wants(number, "lobby", line)
        checkpoint.reject(2)
        checkpoint.reject(3)
        checkpoint.save(4)
    again = Checkpoint(tmp_path / "progress")
    with again.open("cd34", "lobby"):
        assert read(again, [b"a", b"b, corrected", b"c", b"d", b"e"]) == [2, 3, 5]
        again.reject(5)
        again.save(3)
    corrected = [b"a", b"b, corrected", b"c", b"d", b"e"]
    other = Checkpoint(tmp_path / "progress")
    with (
        other.open("cd34", "lobby"),
        pytest.raises(LocalError, match="another input, which differs in line 5 or before"),
    ):
        read(other, [*corrected[:2], b"c, corrected", *corrected[3:]])
    last = Checkpoint(tmp_path / "progress")
    with last.open("cd34", "lobby"):
        assert read(last, [*corrected, b"f"]) == [5, 6]


def test_one_program_at_a_time_uses_a_checkpoint(tmp_path: Path) -> None:
    with (
        Checkpoint(tmp_path / "progress").open("ab12", "lobby"),
        pytest.raises(LocalError, match="another program"),
        Checkpoint(tmp_path / "progress").open("cd34", "lobby"),
    ):
        pass
    with pytest.raises(KeyboardInterrupt), Checkpoint(tmp_path / "progress").open("cd34", "lobby"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_record_without_rejections_is_valid(tmp_path: Path) -> None:
    (tmp_path / "progress").write_text('{"stream": "x", "settled": 1, "room": null, "fingerprint": 3}')
    record = Checkpoint(tmp_path / "progress").load()
    assert record
    assert record.settled == 1


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        '{"stream": "x", "settled": 1}',
        '{"stream": 1, "settled": 2, "room": null, "fingerprint": 3}',
        '{"stream": "x", "settled": 2, "room": null, "fingerprint": 3, "refused": [1]}',
        '{"stream": "x", "settled": 2, "room": null, "fingerprint": 3, "refused": [[1, "x"]]}',
        '{"stream": "\\u0000", "settled": 2, "room": null, "fingerprint": 3}',
        '{"stream": "x", "settled": -2, "room": null, "fingerprint": 3}',
        '{"stream": "x", "settled": 2, "room": [], "fingerprint": 3}',
        pytest.param('{"stream": "x", "settled": 2, "room": ' + "[" * 200_000, id="deeply nested"),
        "\x00",
    ],
)
def test_a_file_that_is_not_a_checkpoint_is_not_changed(tmp_path: Path, data: str) -> None:
    (tmp_path / "progress").write_text(data)
    with pytest.raises(LocalError, match="progress"):
        Checkpoint(tmp_path / "progress").load()
    assert (tmp_path / "progress").read_text() == data


def test_people_can_read_the_file(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", None):
        read(checkpoint, LINES)
        checkpoint.reject(1)
        checkpoint.save(2)
    saved = json.loads((tmp_path / "progress").read_text())
    assert (saved["settled"], [number for number, _ in saved["refused"]]) == (2, [1])


def test_rejections_after_the_last_settled_message_are_read_again(tmp_path: Path) -> None:
    lines = [*LINES, b"f", b"g", b"h"]
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        read(checkpoint, lines)
        checkpoint.reject(7)
        checkpoint.save(5)
    second = Checkpoint(tmp_path / "progress")
    with second.open("cd34", "lobby"):
        assert read(second, lines) == [6, 7, 8]
        assert [second.number(place) for place in (1, 2, 3)] == [6, 7, 8]
        second.reject(7)
        second.save(3)
        assert not second.finish()
    third = Checkpoint(tmp_path / "progress")
    with third.open("ef56", "lobby"):
        assert read(third, lines) == [7]


def test_rejections_beyond_the_maximum_are_read_again(tmp_path: Path) -> None:
    lines = [b"%d" % number for number in range(MAX_REJECTED + 5)]
    checkpoint = Checkpoint(tmp_path / "progress")
    with checkpoint.open("ab12", "lobby"):
        for number, line in enumerate(lines, 1):
            checkpoint.wants(number, "lobby", line)
            checkpoint.reject(number)
            if number % 1_000 == 0:
                checkpoint.save(number)
        checkpoint.save(len(lines))
        assert not checkpoint.finish()
    second = Checkpoint(tmp_path / "progress")
    with second.open("cd34", "lobby"):
        assert read(second, lines) == [*range(1, len(lines) + 1)]
        second.reject(len(lines))
        second.save(len(lines))
        assert not second.finish()
    third = Checkpoint(tmp_path / "progress")
    with third.open("ef56", "lobby"):
        assert read(third, lines) == [len(lines)]
