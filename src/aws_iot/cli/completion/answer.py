"""The answer to a shell: what can complete the word before the cursor.

The script of the shell sets variables and runs `aws-iot`, which prints lines. The first line says what completes the
word: `names`, which follow, one to a line, or `files` or `folders`, which the shell finds itself. A tab and a
description can follow a name. The scripts are in `aws_iot/cli/commands/completion/scripts`.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from aws_iot.cli import COMPLETION_VARIABLE
from aws_iot.cli.completion import table
from aws_iot.cli.completion.command_line import Typed, read
from aws_iot.cli.completion.table import Command

LINE = "_AWS_IOT_LINE"
"""The variable with the command line up to the cursor, as it was typed, with its quotes."""

WORD = "_AWS_IOT_WORD"
"""The variable with the part of the last word that bash replaces: what follows its last `COMP_WORDBREAKS` character."""

_CURSOR = "\0"
"""Marks the end of the line, because a blank before it begins a new word. No argument of a program can contain it."""

Known = Callable[[str, Typed], Iterable[str]]
"""Returns the names of a kind that this machine knows, as `aws_iot.cli.completion.names.known`."""


class Offers(NamedTuple):
    """What can complete a word."""

    kind: str = "names"
    names: Mapping[str, str] = {}
    """Whole words, each with its description."""


def answer(environment: Mapping[str, str]) -> str:
    """The lines that the shell's script reads."""
    shell = environment[COMPLETION_VARIABLE]
    *words, incomplete = _split(environment.get(LINE, ""), shell)
    offers = complete(words[1:], incomplete, _known)
    if shell != "bash":
        lines = [f"{name}\t{text}".rstrip() for name, text in offers.names.items()]
    else:  # bash shows no descriptions
        replaced = environment.get(WORD, incomplete).lstrip("\"'")
        kept = len(incomplete) - len(replaced) if incomplete.endswith(replaced) else 0
        lines = [name[kept:] for name in offers.names]
    return "".join(f"{line}\n" for line in (offers.kind, *lines))


def _known(kind: str, typed: Typed) -> list[str]:
    from aws_iot.cli.completion import names  # here: most words are commands and options

    return names.known(kind, typed)


def complete(words: list[str], incomplete: str, known: Known) -> Offers:
    """What can complete a word after others, which are those after the program's name."""
    typed = read(words, table.commands())
    if not (typed.is_option_possible and incomplete.startswith("-")):
        return _values(typed, incomplete, known)
    option, value = _split_option(typed.command, incomplete)
    if not option:
        return Offers(names=_options(typed, incomplete))
    before = incomplete.removesuffix(value)
    typed = read([*words, before.removesuffix("=")], table.commands())
    if not typed.waiting or option not in typed.waiting.get("names", ()):
        return Offers()
    offers = _values(typed, value, known)
    return offers._replace(names={before + name: text for name, text in offers.names.items()})


def _split_option(command: Command, word: str) -> tuple[str, str]:
    """The option and the beginning of its value in one word, such as `--room=lo` or `-qrlo`; empty if it has none."""
    name, is_joined, value = word.partition("=")
    if word.startswith("--"):
        return (name, value) if is_joined else ("", "")
    with_value = {name for option in command["options"] if option["nargs"] for name in option["names"]}
    for end, letter in enumerate(word[1:-1], 2):
        if f"-{letter}" in with_value:
            return f"-{letter}", word[end:]
    return "", ""


def _values(typed: Typed, incomplete: str, known: Known) -> Offers:
    names = dict(typed.subcommands)
    if typed.waiting:
        wanted = typed.waiting["completes"]
        if wanted in ("files", "folders"):
            return Offers(wanted)
        if wanted == "help":
            return _starting(incomplete, _help(typed.values["words"]))
        values = wanted if isinstance(wanted, list) else known(wanted, typed)
        can_repeat = typed.waiting.get("multiple") or typed.waiting["nargs"] < 0
        given = typed.values.get(typed.waiting["name"], ()) if can_repeat else ()
        names |= {value: "" for value in values if value not in given}
    return _starting(incomplete, names)


def _help(words: list[str]) -> dict[str, str]:
    """What can follow the words after `aws-iot help`: commands and topics, then the subcommands of the command."""
    path = " ".join(words[1:] if words[:1] == ["environment"] else words)
    command = table.commands().get(path)
    return (command["commands"] if command else {}) | ({} if words else table.topics())


def _starting(incomplete: str, names: Mapping[str, str]) -> Offers:
    return Offers(names={name: text for name, text in names.items() if name.startswith(incomplete)})


def _options(typed: Typed, incomplete: str) -> dict[str, str]:
    return {
        name: option["help"]
        for option in typed.command["options"]
        if not option.get("hidden") and (option.get("multiple") or option["name"] not in typed.values)
        for name in option["names"]
        if name.startswith(incomplete) and name not in option.get("old_names", ())
    }


def _split(line: str, shell: str) -> list[str]:
    """The words of a line, without their quotes. The last one is what is before the cursor; it may be empty."""
    reader = shlex.shlex(line + _CURSOR, posix=True)
    reader.whitespace_split = True
    reader.commenters = ""
    if shell == "powershell":
        reader.escape = "`"
    elif shell == "fish":
        reader.escapedquotes = "\"'"
    words: list[str] = []
    try:
        words.extend(reader)
    except ValueError:  # a quote is still open
        words.append(reader.token or "")
    return [*words[:-1], words[-1].removesuffix(_CURSOR)]
