"""Pictures and recordings of a terminal's screen: SVG, animated SVG, and asciicast, made of its cells."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from pyte.screens import Char

COLUMN, ROW, BASELINE = 8.4, 18, 13
"""The size of a character, and where its line is, in pixels."""

MARGIN, TITLE_ROW = 12, 30
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
TEXT, PAPER, FRAME = "#d1d7e0", "#0d1117", "#3d444d"
PALETTE = {
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",  # what pyte calls yellow
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "brightblack": "#656c76",
    "brightgreen": "#aff5b4",
    "brightblue": "#a5d6ff",
    "brightmagenta": "#e2c5ff",
}
SGR = {
    "red": 31,
    "green": 32,
    "brown": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "brightblack": 90,
    "brightgreen": 92,
    "brightblue": 94,
    "brightmagenta": 95,
}
LINES = {"─": (0, 8.5, 1, 1), "│": (0.5, 0, 0, ROW), "┃": (0.4, 0, 0.2, ROW), "▌": (0, 0, 0.5, ROW)}
"""Left and width in columns, top and height in pixels. Those of a font leave gaps; a width of 0 is one pixel."""

_NAME = re.compile(r"(\w+)~[0-9a-f]{8}")
_TIME = re.compile(r"(?<=  )\d\d:\d\d\b")


class Look(NamedTuple):
    """How characters look. `color` is a key of PALETTE, or `default`."""

    color: str = "default"
    is_bold: bool = False
    is_dim: bool = False
    is_underlined: bool = False
    is_reversed: bool = False


class Cell(NamedTuple):
    """A character; an empty one follows a wide one."""

    text: str
    look: Look


Row = tuple[Cell, ...]


class Shot(NamedTuple):
    """The rows of a screen, and for how long they are there."""

    rows: tuple[Row, ...]
    seconds: float


class Person(NamedTuple):
    """How somebody is shown: the start of an identity, and a color."""

    short: str
    color: str


def rows_of(cells: Iterable[Sequence[Char]], people: Mapping[str, Person], clock: str) -> tuple[Row, ...]:
    """The rows of a screen, with these identities and this time in place of what differs from run to run."""
    return tuple(_steady(row, people, clock) for row in cells)


def _steady(row: Sequence[Char], people: Mapping[str, Person], clock: str) -> Row:
    text = "".join(one.data[:1] or "\0" for one in row)  # a character for each cell
    cells = [Cell(one.data, _look(one)) for one in row]
    for found in _TIME.finditer(text):
        for column, letter in zip(range(*found.span()), clock, strict=True):
            cells[column] = cells[column]._replace(text=letter)
    for found in _NAME.finditer(text):
        if person := people.get(found[1]):
            for column, letter in zip(range(*found.span()), f"{found[1]}~{person.short}", strict=True):
                look = cells[column].look
                color = person.color if look.color != "default" else "default"
                cells[column] = Cell(letter, look._replace(color=color))
    return tuple(cells)


def _look(one: Char) -> Look:
    return Look(one.fg, one.bold, one.blink, one.underscore, one.reverse)


# SVG


def picture(rows: Sequence[Row], title: str) -> str:
    """An SVG of a screen."""
    return _svg(rows, title, "".join(f"{_moved(_drawn(row), y)}\n" for y, row in enumerate(rows)), "")


def animation(shots: Sequence[Shot], title: str) -> str:
    """An SVG that shows each screen for its time, again and again; the last one, if the viewer wants no motion."""
    body: list[str] = []
    rules: list[str] = []
    total = sum(shot.seconds for shot in shots)
    for y in range(len(shots[0].rows)):
        for row in dict.fromkeys(shot.rows[y] for shot in shots):
            drawn = _drawn(row)
            shown = [shot.rows[y] == row for shot in shots]
            if not drawn:
                continue
            if all(shown):
                body.append(_moved(drawn, y))
                continue
            name = f"k{len(rules)}"
            last = ' class="last"' if shown[-1] else ""
            body.append(f'<g style="animation-name:{name}"{last}>{_moved(drawn, y)}</g>')
            rules.append(f"@keyframes {name}{{{_frames(shown, shots, total)}}}")
    style = (
        f"g[style]{{visibility:hidden;animation:{total:g}s step-end infinite}}"
        "@media (prefers-reduced-motion){g[style]{animation:none}g.last{visibility:visible}}\n"
    )
    return _svg(shots[0].rows, title, "\n".join(body) + "\n", style + "\n".join(rules) + "\n")


def _frames(shown: Sequence[bool], shots: Sequence[Shot], total: float) -> str:
    frames, at, before = [], 0.0, None
    for now, shot in zip(shown, shots, strict=True):
        if now != before:
            frames.append(f"{100 * at / total:.2f}%{{visibility:{'visible' if now else 'hidden'}}}")
        at, before = at + shot.seconds, now
    return "".join(frames)


def _svg(rows: Sequence[Row], title: str, body: str, style: str) -> str:
    width = round(len(rows[0]) * COLUMN + 2 * MARGIN)
    height = len(rows) * ROW + TITLE_ROW + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>\ntext{{font:14px {FONT};fill:{TEXT};white-space:pre}}\n"
        f"{''.join(f'.{name}{{fill:{color}}}' for name, color in PALETTE.items())}\n"
        f".b{{font-weight:bold}}.d{{opacity:.6}}.u{{text-decoration:underline}}.p{{fill:{PAPER}}}\n{style}</style>\n"
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="{PAPER}" stroke="{FRAME}"/>\n'
        f'<text x="{width / 2:g}" y="20" text-anchor="middle" class="d">{escape(title)}</text>\n'
        f'<g transform="translate({MARGIN} {TITLE_ROW})">\n{body}</g>\n</svg>\n'
    )


def _moved(drawn: str, y: int) -> str:
    return f'<g transform="translate(0 {y * ROW})">{drawn}</g>' if drawn else ""


def _drawn(row: Row) -> str:
    return "".join(
        f"{_background(column, columns, look)}{_foreground(column, columns, text, look)}"
        for column, columns, text, look in _spans(row)
    )


def _spans(row: Row) -> Iterator[tuple[int, int, str, Look]]:
    """Column, number of columns, text and look of what is drawn as a whole.

    Such a text has no blanks at its ends, and a wide character is alone.
    """
    column = 0
    for (look, kind), group in groupby(_characters(row), lambda one: (one[2], _kind(one[1]))):
        characters = [*group]
        columns = sum(width for width, _, _ in characters)
        text = "".join(text for _, text, _ in characters)
        if kind == "wide":
            for width, one, _ in characters:
                yield column, width, one, look
                column += width
            continue
        shown = text.strip() if not (look.is_reversed or look.is_underlined) else text
        if shown:
            yield column + text.index(shown), columns - len(text) + len(shown), shown, look
        column += columns


def _characters(row: Row) -> Iterator[tuple[int, str, Look]]:
    for number, cell in enumerate(row):
        if cell.text:
            is_wide = number + 1 < len(row) and not row[number + 1].text
            yield 1 + is_wide, cell.text, cell.look


def _kind(text: str) -> str:
    if text in LINES:
        return text
    return "text" if text.isascii() or text in "…“”‘’" else "wide"


def _background(column: int, columns: int, look: Look) -> str:
    if not look.is_reversed:
        return ""
    fill = PALETTE.get(look.color, TEXT)
    return f'<rect x="{column * COLUMN:g}" width="{columns * COLUMN:g}" height="{ROW}" fill="{fill}"/>'


def _foreground(column: int, columns: int, text: str, look: Look) -> str:
    left, width = column * COLUMN, columns * COLUMN
    if text[0] in LINES:
        x, y, wide, high = LINES[text[0]]
        wide = columns if text[0] == "─" else wide
        dim = ' class="d"' if look.is_dim else ""
        return (
            f'<rect x="{left + x * COLUMN:g}" y="{y:g}" width="{wide * COLUMN or 1:g}" height="{high}"'
            f' fill="{PALETTE.get(look.color, TEXT)}"{dim}/>'
        )
    if not text.strip():
        return ""
    kind = f' class="{_classes(look)}"' if _classes(look) else ""
    if _kind(text[0]) == "wide":
        place = f'x="{left + width / 2:g}" text-anchor="middle"'
    else:
        place = f'x="{left:g}" textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
    return f'<text {place} y="{BASELINE}"{kind}>{escape(text, quote=False)}</text>'


def _classes(look: Look) -> str:
    color = "p" if look.is_reversed else look.color if look.color in PALETTE else ""
    others = (("b", look.is_bold), ("d", look.is_dim), ("u", look.is_underlined))
    return " ".join([*filter(None, [color]), *(name for name, is_set in others if is_set)])


# asciicast, version 2: https://docs.asciinema.org/manual/asciicast/v2/


def recording(shots: Sequence[Shot], title: str) -> str:
    """What `asciinema play` plays."""
    rows = shots[0].rows
    header = {"version": 2, "width": len(rows[0]), "height": len(rows), "title": title}
    lines = [json.dumps(header)]
    at = 0.0
    before: list[Row] = [()] * len(rows)
    for number, shot in enumerate(shots):
        changed = [(y, row) for y, row in enumerate(shot.rows) if row != before[y]]
        written = "".join(f"\x1b[{y + 1}H{_written(row)}" for y, row in changed)
        lines.append(json.dumps([round(at, 3), "o", ("" if number else "\x1b[?25l\x1b[2J") + written]))
        at, before = at + shot.seconds, [*shot.rows]
    lines.append(json.dumps([round(at, 3), "o", "\x1b[?25h"]))
    return "\n".join(lines) + "\n"


def _written(row: Row) -> str:
    written = []
    for look, group in groupby(row, lambda cell: cell.look):
        codes = [
            SGR.get(look.color, 0),
            1 if look.is_bold else 0,
            2 if look.is_dim else 0,
            4 if look.is_underlined else 0,
            7 if look.is_reversed else 0,
        ]
        sgr = "".join(f";{code}" for code in codes if code)
        written.append(f"\x1b[0{sgr}m{''.join(cell.text for cell in group)}")
    return "".join(written) + "\x1b[0m"
