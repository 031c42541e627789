"""Tables for people: aligned columns that fit the terminal, and show control characters as escapes."""

import sys
from collections.abc import Collection, Mapping, Sequence

from aws_iot.cli.ui import output
from aws_iot.text.width import display_width, shortened

Row = Sequence[str | None]

GAP = "  "
SHORTEST = 12
"""Columns that a cell keeps at least if it is shortened."""


def table(headers: Sequence[str], rows: Sequence[Row], *, shorten: Collection[str] = ()) -> list[str]:
    """The lines of a table, the headers first; no lines if there are no rows. A missing cell is shown as `-`.

    A table that is wider than the terminal is drawn with shorter cells in the columns that `shorten` names. If that
    is not enough, each row becomes a block of lines. So nothing that a person may have to type is cut. In a pipe,
    every cell is shown whole.
    """
    return layout(headers, rows, terminal_width(), shorten)


def facts(rows: Mapping[str, str]) -> list[str]:
    """A line for each label and its text. On a terminal, the text is wrapped in a column of its own."""
    width = max(map(len, rows)) + len(GAP)
    lines = {label.ljust(width): output.visible(text) for label, text in rows.items()}
    columns = terminal_width()
    if columns is None:
        return [start + text for start, text in lines.items()]
    from aws_iot.cli.ui.wrapping import fill  # here: a pipe needs no width

    return [line for start, text in lines.items() for line in fill(text, columns, start, " " * width)]


def text_lines(text: str) -> list[str]:
    """A text without control characters, in one line. On a terminal, it continues further to the right."""
    columns = terminal_width()
    if columns is None:
        return [output.visible(text)]
    from aws_iot.cli.ui.wrapping import LESS, fit  # here: a pipe needs no width

    return fit(output.visible(text), columns, hang=LESS)


def terminal_width() -> int | None:
    """The width of the terminal in columns; None if stdout is not a terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from aws_iot.cli.ui.wrapping import columns_of  # here: a pipe needs no width

    return columns_of(sys.stdout)


def layout(
    headers: Sequence[str], rows: Sequence[Row], width: int | None, shorten: Collection[str] = ()
) -> list[str]:
    """As `table`, for a screen of `width` columns; None is no limit."""
    if not rows:
        return []
    cells = [[output.visible(cell) if cell else "-" for cell in row] for row in rows]
    widths = [max(map(display_width, column)) for column in zip(headers, *cells, strict=True)]
    if width is not None:
        for index in (i for i, header in enumerate(headers) if header in shorten):
            excess = _total(widths) - width
            widths[index] = max(min(widths[index], SHORTEST), widths[index] - max(0, excess))
        if _total(widths) > width:
            return _blocks(headers, cells, width)
    return [_line(row, widths) for row in (headers, *cells)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    shown = (shortened(cell, width) for cell, width in zip(row, widths, strict=True))
    return GAP.join(
        cell + " " * (width - display_width(cell)) for cell, width in zip(shown, widths, strict=True)
    ).rstrip()


def _blocks(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """A line for each cell, and an empty line between rows."""
    from aws_iot.cli.ui.wrapping import fill  # here: most tables fit

    label_width = max(map(display_width, headers)) + len(GAP)
    lines: list[str] = []
    for row in rows:
        if lines:
            lines.append("")
        for header, cell in zip(headers, row, strict=True):
            line = header.ljust(label_width) + cell
            is_word = (
                cell.isascii() and " " not in cell
            )  # a terminal breaks it so that it can be copied whole
            fits = is_word or display_width(line) <= width
            lines += [line] if fits else fill(cell, width, header.ljust(label_width), " " * label_width)
    return lines
