"""The pictures of the README: what they are made of, and that they load nothing."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pyte
import pytest

from tests import terminal
from tests.conftest import REPOSITORY
from tools.screen_pictures import Person, Row, Shot, animation, picture, recording, rows_of

PICTURES = REPOSITORY / "docs" / "pictures"
MOST_BYTES = 150_000


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_is_small_and_loads_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  it is ours
    assert len(text.encode()) < MOST_BYTES
    assert not re.search(r"url\(|@import|href|<script|<image", text)
    assert {"4f9fa251", "b541bc26"} >= set(re.findall(r"~([0-9a-f]{8})", text))


def _rows(*lines: str) -> tuple[Row, ...]:
    screen = pyte.Screen(30, len(lines))
    pyte.Stream(screen).feed("\r\n".join(lines))
    cells = [[screen.buffer[y][x] for x in range(30)] for y in range(len(lines))]
    return rows_of(cells, {"bob": Person("b541bc26", "green")}, "12:34")


def test_identities_colors_and_times_of_a_picture_are_always_the_same() -> None:
    for identity, color, at in (("01234567", 31, "00:01"), ("89abcdef", 35, "23:59")):
        rows = _rows(f"\x1b[1;{color}mbob~{identity}\x1b[0m  {at}", f"  bob~{identity}, at {at}")
        assert rows == _rows("\x1b[1;32mbob~b541bc26\x1b[0m  12:34", f"  bob~b541bc26, at {at}")


def test_a_wide_character_moves_nothing_beside_it() -> None:
    drawn = picture(_rows("│漢 <b> 🎉 x│"), "t")
    assert re.findall(r'<text x="([\d.]+)"[^>]*>([^<]*)</text>', drawn)[1:] == [
        ("16.8", "漢"),
        ("33.6", "&lt;b&gt;"),
        ("75.6", "🎉"),
        ("92.4", "x"),
    ]
    assert re.findall(r'<rect x="([\d.]+)" y="0" width="1"', drawn) == ["4.2", "105"]


def test_a_recording_writes_only_the_rows_that_change() -> None:
    shots = [Shot(_rows("one", "two"), 1.5), Shot(_rows("one", "three"), 1)]
    header, *events = map(json.loads, recording(shots, "t").splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 30, 2)
    assert [at for at, _, _ in events] == [0, 1.5, 2.5]
    assert "three" in events[1][2]
    assert "one" not in events[1][2]
    drawn = animation(shots, "t")
    assert drawn.count(">one<") == drawn.count(">two<") == drawn.count(">three<") == 1
    assert "{0.00%{visibility:hidden}60.00%{visibility:visible}}" in drawn


@pytest.mark.long
@terminal.NEEDED
def test_the_pictures_show_the_chat_as_it_is(tmp_path: Path) -> None:
    from tools.take_pictures import files

    for name, text in files():
        assert (PICTURES / name).read_text(encoding="utf-8") == text, "run `make docs-picture`"
