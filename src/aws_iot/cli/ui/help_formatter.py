"""HelpFormatter: wraps help to the terminal's width without breaking words, so that examples can be copied."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

import click

from aws_iot.cli.ui.colors import Role, is_on, paint
from aws_iot.cli.ui.wrapping import fill, fill_command

TERM_WIDTH = 25
"""Longer terms of a list, such as options, have their description on the next line."""

_ROW = re.compile(r"(?P<term>\S.*?) {2,}(?P<text>\S.*)")
_BULLET = re.compile(r"- (?P<text>.*)")


class HelpFormatter(click.HelpFormatter):
    r"""Click's formatter with headings, and with structure in blocks that begin with \b.

    In such a block a line is an entry of its own: `term  description`, `- item`, or a command. A deeper line
    continues an item, and so does the line after a backslash.
    """

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        start = f"{prefix or 'Usage: '}{prog} "
        lines = fill(args, self.width, start, " " * len("Usage: aws-iot ")) or [start.rstrip()]
        self._write_lines([f"{self._heading('Usage:')}{lines[0].removeprefix('Usage:')}", *lines[1:]])

    def write_heading(self, heading: str) -> None:
        self._write_lines([" " * self.current_indent + self._heading(f"{heading}:")])

    def write_text(self, text: str) -> None:
        paragraphs = re.split(r"\n\s*\n", text)
        for number, paragraph in enumerate(paragraphs):
            if number:
                self.write("\n")
            if paragraph.startswith("\b\n"):
                self._write_block(paragraph.removeprefix("\b\n"))
            else:
                self._write_lines(fill(paragraph, self.width, " " * self.current_indent))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = TERM_WIDTH, col_spacing: int = 2
    ) -> None:
        self._write_rows(list(rows), self.current_indent, col_max, col_spacing)

    def write_sections(self, sections: Iterable[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        """Lists under headings, all with the same columns."""
        filled = [(name, rows) for name, rows in sections if rows]
        terms = [len(term) for _, rows in filled for term, _ in rows]
        column = max((length for length in terms if length <= TERM_WIDTH), default=TERM_WIDTH)
        for name, rows in filled:
            with self.section(name):
                self._write_rows(rows, self.current_indent, column, 2, column)

    def _write_block(self, text: str) -> None:
        lines = [line.rstrip() for line in _joined(text)]
        for kind, group in groupby(lines, lambda line: bool(_ROW.fullmatch(line.strip()))):
            if kind:
                self._write_table(list(group))
                continue
            for line in group:
                self._write_entry(line)

    def _write_table(self, lines: Sequence[str]) -> None:
        depth = len(lines[0]) - len(lines[0].lstrip())
        matches = [match for line in lines if (match := _ROW.fullmatch(line.strip()))]
        rows = [(match["term"], match["text"]) for match in matches]
        longest = max(len(term) for term, _ in rows)
        self._write_rows(rows, self.current_indent + depth, min(longest, self.width * 3 // 5), 2)

    def _write_entry(self, line: str) -> None:
        text = line.strip()
        indent = " " * (self.current_indent + len(line) - len(line.lstrip()))
        if bullet := _BULLET.fullmatch(text):
            self._write_lines(fill(bullet["text"], self.width, f"{indent}- ", f"{indent}  "))
        elif line.startswith(" "):
            self._write_lines(fill_command(text, self.width, indent))
        elif text.endswith(":"):
            first, *rest = fill(text, self.width, indent)
            self._write_lines([indent + self._heading(first.strip()), *rest])
        else:
            self._write_lines(fill(text, self.width, indent))

    def _write_rows(
        self, rows: Sequence[tuple[str, str]], depth: int, most: int, gap: int, least: int = 0
    ) -> None:
        indent = " " * depth
        column = max((len(term) for term, _ in rows if len(term) <= most), default=most)
        column = max(column, least) + gap
        for term, text in rows:
            start = indent + term.ljust(column)
            if len(term) > column - gap or not text:
                self._write_lines(fill_command(term, self.width, indent))
                start = " " * len(indent + " " * column)
            if text:
                lines = fill(text, self.width, start, " " * (depth + column))
                self._write_lines(lines)

    def _heading(self, text: str) -> str:
        return paint(text, Role.HEADING) if is_on() else text

    def _write_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(f"{line}\n")


def _joined(text: str) -> list[str]:
    """The lines of a block, with those that continue another appended to it."""
    found: list[str] = []
    for line in text.splitlines():
        last = found[-1] if found else ""
        is_item = bool(_BULLET.match(last.strip())) and _depth(line) > _depth(last)
        if last.endswith("\\") or is_item:
            found[-1] = f"{last.removesuffix(chr(92)).rstrip()} {line.strip()}"
        else:
            found.append(line)
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
