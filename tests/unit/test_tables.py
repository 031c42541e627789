"""Tables: columns that fit the terminal, and never cut what a person may have to type."""

import pytest

from aws_iot.cli.ui.tables import layout, table
from aws_iot.text.width import display_width

HEADERS = ("KEY", "USER", "ENDPOINT")
ROWS = (
    ("default", "alice", "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com"),
    ("team", None, "127.0.0.1:4566"),
)


def test_columns_are_aligned_under_their_headers() -> None:
    assert layout(HEADERS, ROWS, None) == [
        "KEY      USER   ENDPOINT",
        "default  alice  a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com",
        "team     -      127.0.0.1:4566",
    ]


def test_a_table_without_rows_has_no_lines() -> None:
    assert layout(HEADERS, (), 80) == []


def test_only_the_columns_that_may_be_are_shortened() -> None:
    lines = layout(HEADERS, ROWS, 40, ("ENDPOINT",))
    assert lines[1] == "default  alice  a1b2c3d4e5f6g7-ats.iot.…"
    assert max(map(display_width, lines)) == 40
    assert lines[2].endswith("127.0.0.1:4566")


@pytest.mark.parametrize(("width", "shorten"), [(40, ()), (20, ("ENDPOINT",))])
def test_rows_that_do_not_fit_become_blocks_with_whole_cells(width: int, shorten: tuple[str, ...]) -> None:
    assert layout(HEADERS, ROWS, width, shorten) == [
        "KEY       default",
        "USER      alice",
        "ENDPOINT  a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com",
        "",
        "KEY       team",
        "USER      -",
        "ENDPOINT  127.0.0.1:4566",
    ]


def test_control_characters_are_shown_as_escapes() -> None:
    assert layout(("A", "B"), [("\x1b[2J\n", "x")], 80) == ["A          B", r"\x1b[2J\n  x"]


def test_wide_characters_and_combining_marks_keep_the_columns_aligned() -> None:
    lines = layout(("NAME", "ID"), [("日本", "1"), ("e\u0301va", "2"), ("bob", "3")], 80)
    assert {display_width(line[: line.rindex(line.split()[-1])]) for line in lines} == {6}
    assert lines[1] == "日本  1"


@pytest.mark.parametrize("width", [16, 17, 20])
def test_a_shortened_cell_of_wide_characters_fits(width: int) -> None:
    lines = layout(("NAME", "ID"), [("日本" * 9, "1")], width, ("NAME",))
    assert max(map(display_width, lines)) <= width


@pytest.mark.parametrize("blank", [" ", "\u3000", "\u2800", "\u00a0"])
def test_no_cell_continues_at_the_left_edge(blank: str) -> None:
    for length in range(40, 90):
        lines = layout(("NAME", "ID"), [("a" + blank * length + "carol  2", "1")], 40)
        assert [line for line in lines if line[0] != " "] == [lines[0], lines[-1]]
        assert lines[0].startswith("NAME")
        assert max(map(display_width, lines)) <= 40


def test_in_a_pipe_every_cell_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    assert table(("A",), [(long,)], shorten=("A",)) == ["A", long]
