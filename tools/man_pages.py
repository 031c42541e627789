"""Man pages, made from the help of the commands. `make docs` writes them; see decision 17."""

import inspect
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

import click

from aws_iot import __version__
from aws_iot.cli.commands.help.environment import option_variables, variables, walk
from aws_iot.cli.commands.help.exit_codes import exit_codes
from aws_iot.cli.commands.help.topics import TOPICS
from aws_iot.cli.groups import Command, Group
from aws_iot.cli.root import root

COLUMNS = 1000
"""So wide that the help breaks no line: the program that shows the page does."""

_ROW = re.compile(r"(?P<term>\S.*?) {2,}(?P<text>\S.*)")


def pages() -> dict[str, str]:
    """The text of each page, by its path below `share/man`."""
    found = {}
    names = [_name(path) for path, _ in walk(root, [])]
    for path, command in walk(root, []):
        found[f"man1/{_name(path)}.1"] = command_page(path, command, names)
    for topic, more in (("environment", variables(root, [])), ("exit-codes", _codes())):
        found[f"man7/aws-iot-{topic}.7"] = topic_page(topic, more)
    return found


def command_page(path: str, command: click.Command, names: list[str]) -> str:
    """The page of a command."""
    assert isinstance(command, Command | Group)
    shown = f"aws-iot {path}".strip()
    context = click.Context(command, info_name=shown, terminal_width=COLUMNS)
    help_text = inspect.cleandoc(command.help or "")
    summary, _, description = help_text.partition("\n\n")
    lines = [
        *_head(_name(path), 1, " ".join(summary.split())),
        ".SH SYNOPSIS",
        f".B {escaped(shown)}",
        escaped(" ".join(command.collect_usage_pieces(context))),
    ]
    if description:
        lines += [".SH DESCRIPTION", *paragraphs(description)]
    if isinstance(command, Group):
        for title, rows in command.sections(context):
            lines += [f".SH {escaped(title.upper())}", *definitions(rows)]
    for title, rows in command.sections_of_options(context):
        lines += [f".SH {escaped(title.upper())}", *definitions(rows)]
    if of_options := option_variables(command):
        rows = [(variable, ", ".join(option.names())) for variable, option in of_options]
        lines += [".SH ENVIRONMENT", *paragraphs("Each variable stands for an option."), *definitions(rows)]
    return _text([*lines, *_see_also(_name(path), names)])


def topic_page(topic: str, rows: Iterable[tuple[str, str]]) -> str:
    """The page of a topic of `aws-iot help`, with a list."""
    title = "VARIABLES OF OPTIONS" if topic == "environment" else "EXIT CODES"
    lines = [*_head(f"aws-iot-{topic}", 7, TOPICS[topic].summary), ".SH DESCRIPTION"]
    lines += [*paragraphs(TOPICS[topic].text), f".SH {title}", *definitions(rows)]
    return _text([*lines, ".SH SEE ALSO", ".BR aws-iot (1)"])


def paragraphs(text: str) -> Iterable[str]:
    r"""Text as in help: blocks that begin with \b keep their lines, others are filled."""
    for number, one in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            yield ".PP"
        if one.startswith("\b\n"):
            yield from _block(one.removeprefix("\b\n"))
        else:
            yield escaped(" ".join(one.split()))


def definitions(rows: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Terms and what they mean."""
    for term, text in rows:
        yield from (".TP", rf"\fB{escaped(term, at_start=False)}\fR", escaped(text))


def escaped(text: str, *, at_start: bool = True) -> str:
    """Text in which nothing is a request or an escape of roff. Hyphens can be copied as they are."""
    found = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    found = found.replace("^", r"\(ha").replace("~", r"\(ti").replace("…", "...")
    found = re.sub(r"\\\(ga(.+?)\\\(ga", r"\\fB\1\\fR", found)  # what the help has in backticks
    found = re.sub(r"[^\x00-\x7f]", lambda match: rf"\[u{ord(match[0]):04X}]", found)
    return rf"\&{found}" if at_start and found.startswith(".") else found


def _text(lines: list[str]) -> str:
    """The page, without paragraphs that are empty or only follow a heading."""
    around = zip(["", *lines], lines, [*lines[1:], ""], strict=False)
    return "".join(
        f"{line}\n"
        for before, line, after in around
        if line != ".PP" or not (before.startswith(".SH") or after.startswith((".PP", ".TP", ".IP", ".SH")))
    )


def _block(text: str) -> Iterator[str]:
    for kind, group in groupby(_joined(text), _kind):
        lines = [line.strip() for line in group]
        if kind == "item":
            for line in lines:
                yield from (r".IP \(bu 2", escaped(line.removeprefix("- ")))
        elif kind == "row":
            rows = [match for line in lines if (match := _ROW.fullmatch(line))]
            yield from definitions((row["term"], row["text"]) for row in rows)
        elif kind == "example":
            yield from (".PP", ".nf", ".RS 4", *map(escaped, lines), ".RE", ".fi")
        else:
            yield from (".PP", *map(escaped, lines))


def _kind(line: str) -> str:
    if line.strip().startswith("- "):
        return "item"
    if _ROW.fullmatch(line.strip()):
        return "row"
    return "example" if line.startswith(" ") else "text"


def _joined(text: str) -> list[str]:
    """The lines, with those that continue an item appended to it."""
    found: list[str] = []
    for line in text.splitlines():
        last = found[-1] if found else ""
        is_deeper = len(line) - len(line.lstrip()) > len(last) - len(last.lstrip())
        if last.endswith("\\") or (last.strip().startswith("- ") and is_deeper):
            found[-1] = f"{last.removesuffix(chr(92)).rstrip()} {line.strip()}"
        else:
            found.append(line)
    return found


def _codes() -> list[tuple[str, str]]:
    return [(str(code), meaning) for code, meaning in exit_codes().items()]


def _name(path: str) -> str:
    return "-".join(["aws-iot", *path.split()])


def _head(name: str, section: int, summary: str) -> list[str]:
    title = f'.TH "{escaped(name.upper())}" "{section}" "" "aws\\-iot {__version__}" "aws\\-iot manual"'
    summary = summary.removesuffix(".")
    return [title, ".SH NAME", rf"{escaped(name)} \- {escaped(summary[:1].lower() + summary[1:])}"]


def _see_also(name: str, names: list[str]) -> list[str]:
    """The pages above and directly below a command, and those of topics."""
    above = name.rpartition("-")[0]
    near = [
        one
        for one in names
        if one == above or (one.startswith(f"{name}-") and "-" not in one[len(name) + 1 :])
    ]
    found = [f".BR {escaped(one)} (1)," for one in near]
    return [".SH SEE ALSO", *found, r".BR aws\-iot\-environment (7),", r".BR aws\-iot\-exit\-codes (7)"]
