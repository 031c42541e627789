"""Find the line that was probably meant."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import click

from aws_iot.cli.mistakes.synonyms import ARGUMENTS, IMPLIED, NO_COMMANDS, OPTIONS, SYNONYMS

_SECRETS = frozenset(("password", "new_password", "client_secret"))

Words = list[str]


def correct(root: click.Group, typed: Sequence[str]) -> str | None:
    """The line that was probably meant instead of `aws-iot TYPED`, or None if nothing better is known.

    Missing values are in capitals. No password is shown.
    """
    path, rest = _command(root, typed)
    command = _resolve(root, path)
    if path and path[-1].startswith("-"):
        return shlex.join(["aws-iot", *path])
    rest = _with_known_options(command, rest)
    if command is None or not path:
        return None
    rest = _with_missing_values(command, rest)
    words = _with_options(command, " ".join(path), rest)
    if words is None or [*path, *words] == [*typed] or not _accepts(command, words):
        return None
    return shlex.join(["aws-iot", *path, *_without_secrets(command, words)])


def instead(root: click.Group, typed: Sequence[str]) -> str | None:
    """What to do instead, if a word looks like a command that does not exist."""
    path, rest = _command(root, typed)
    found = (NO_COMMANDS.get(" ".join((*path, word))) for word in rest)
    return next((advice for advice in found if advice), None)


def similar_options(name: str, known: Sequence[str]) -> Words:
    """The known long option that is most like this one. Their dashes do not count: --yes is not like --key."""
    near = difflib.get_close_matches(name[2:], [one[2:] for one in known if one.startswith("--")], n=1)
    return [f"--{one}" for one in near]


def wants_help(root: click.Group, typed: Sequence[str]) -> click.Command | None:
    """The command whose help is wanted by `COMMAND help`."""
    *path, last = typed or [""]
    return _resolve(root, path) if path and last == "help" else None


def find_command(root: click.Group, words: Sequence[str]) -> tuple[Words, click.Command | None]:
    """The command of these words, or of what they are synonyms of. None if there is none."""
    path, rest = _command(root, words)
    return path, None if rest or not path else _resolve(root, path)


def _command(root: click.Group, typed: Sequence[str]) -> tuple[Words, Words]:
    """The command that is probably meant, and the rest of the line: options typed before it come after it."""
    path: Words = []
    rest = list(typed)
    while isinstance(group := _resolve(root, path), click.Group) and (
        found := _subcommand(root, group, path, rest)
    ):
        path, rest = found
        if path[-1].startswith("-"):
            break
    return path, rest


def _subcommand(
    root: click.Group, group: click.Group, path: Words, rest: Words
) -> tuple[Words, Words] | None:
    for at, word in enumerate(rest):
        if word.startswith("-") and not (word in SYNONYMS and len(rest) == 1):
            continue
        before = rest[:at]
        if (meant := _meant(group, path, word)) and (not before or _accepts(_resolve(root, meant), before)):
            return meant, before + rest[at + 1 :]
    if rest and not rest[0].startswith("-") and (command := SYNONYMS.get(" ".join((*path, "*")))):
        return command.split(), rest
    return None


def _meant(group: click.Group, path: Words, word: str) -> Words | None:
    """The command that `word` stands for, in this group."""
    known = {name: [*path, name] for name in group.list_commands(_context(group))}
    for typed, command in SYNONYMS.items():
        start, _, synonym = typed.rpartition(" ")
        if start == " ".join(path) and synonym != "*":
            known.setdefault(synonym, command.split())
    near = [word] if word in known else difflib.get_close_matches(word, known, n=1)
    return known[near[0]] if near else None


def _resolve(root: click.Group, path: Sequence[str]) -> click.Command | None:
    command: click.Command | None = root
    for name in path:
        if isinstance(command, click.Group) and not name.startswith("-"):
            command = command.get_command(_context(command), name)
        elif not name.startswith("-"):
            return None
    return command


def _context(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name)


def _parse(command: click.Command | None, words: Sequence[str]) -> tuple[Mapping[str, Any], Words] | None:
    """The values by option, and the words left over; None if the command does not have these options."""
    if command is None:
        return None
    try:
        values, left, _ = command.make_parser(_context(command)).parse_args(list(words))
    except click.UsageError:
        return None
    return values, left


def _accepts(command: click.Command | None, words: Sequence[str]) -> bool:
    parsed = _parse(command, words)
    return parsed is not None and not parsed[1]


def _with_known_options(command: click.Command | None, rest: Words) -> Words:
    """The rest of the line with the long options that the command has, instead of misspelled ones."""
    known = (
        [name for param in command.params for name in param.opts if name.startswith("--")] if command else []
    )
    words = []
    for word in rest:
        name, equals, value = word.partition("=")
        if name.startswith("--") and len(name) > 2 and name not in (*known, "--help"):
            synonym = OPTIONS.get(name)
            near = [synonym] if synonym in known else similar_options(name, known)
            name = near[0] if near else name
        words.append(f"{name}{equals}{value}")
    return words


def _with_missing_values(command: click.Command, rest: Words) -> Words:
    """The rest of the line with a placeholder after each option that another option follows in place of its value."""
    known = {
        name: param for param in command.params if isinstance(param, click.Option) for name in param.opts
    }
    words: Words = []
    left = list(rest)
    while left:
        words.append(left.pop(0))
        option = known.get(words[-1])
        if option and not option.is_flag and not option.count and not option._flag_needs_value:
            for name in _placeholders(option):
                words.append(name if not left or left[0] in known else left.pop(0))
    return words


def _with_options(command: click.Command, path: str, rest: Words) -> Words | None:
    """The rest of the line with an option before each word that needs one, and with what is missing."""
    parsed = _parse(command, rest)
    if parsed is None:
        return None
    values, left = parsed
    words = list(rest)
    for word in left:
        words.remove(word)
    options = [option for name in ARGUMENTS.get(path, ()) if (option := _option(command, name))]
    implied = {name for given in values for name in IMPLIED.get(given, ())}
    options = [option for option in options if option.name not in implied]
    if left and options:
        added = _place(options, values, words, left)
        if added is None:
            return None
        words += added
    elif not rest and path == "pub":
        words += [part for option in options for part in (option.opts[0], _placeholder(option))]
    elif left:
        return None
    return words + _missing(command, values, words)


def _place(
    options: Sequence[click.Option], values: Mapping[str, Any], words: Words, left: Words
) -> Words | None:
    """An option for each word of `left`. If the options are in `words` already, their text grows there."""
    last = options[-1]
    if last.multiple:
        return [part for word in left for part in (last.opts[0], word)]
    unset = [option for option in options if option.name not in values]
    is_text = last.metavar == "TEXT"
    if len(left) > len(unset) and not is_text:
        return None
    if not unset:
        return _lengthen(last, words, left)
    end = len(unset) - 1
    texts = left if len(left) <= end else [*left[:end], " ".join(left[end:])]
    absent = unset[: len(unset) - len(texts)]
    given = [*map(_placeholder, absent), *texts]
    return [part for option, value in zip(unset, given, strict=True) for part in (option.opts[0], value)]


def _lengthen(option: click.Option, words: Words, left: Words) -> Words | None:
    """Append the words of a text that was typed without quotes."""
    at = next((at for at, word in enumerate(words[:-1]) if word in option.opts), None)
    if at is None:
        return None
    words[at + 1] = " ".join((words[at + 1], *left))
    return []


def _missing(command: click.Command, values: Mapping[str, Any], words: Words) -> Words:
    """What the command requires and was not given, in capitals."""
    added: Words = []
    for param in command.params:
        value = values.get(param.name or "")
        if not param.required or (isinstance(value, str | tuple | list) and value):
            continue
        if isinstance(param, click.Argument):
            added.append(_placeholder(param))
        elif not any(name in words for name in param.opts):
            added += [param.opts[0], _placeholder(param)]
    return added


def _option(command: click.Command, name: str) -> click.Option | None:
    found = (param for param in command.params if isinstance(param, click.Option) and name in param.opts)
    return next(found, None)


def _placeholder(param: click.Parameter) -> str:
    return (param.metavar or param.name or "").rstrip(".").upper()


def _placeholders(param: click.Parameter) -> Words:
    """One for each value of the option."""
    placeholder = _placeholder(param)
    return placeholder.split() if param.nargs > 1 else [placeholder]


def _without_secrets(command: click.Command, words: Words) -> Words:
    """The words with the placeholder of the option in place of each secret."""
    shown = list(words)
    secrets = _secrets(command, words)
    for secret in sorted(secrets, key=len, reverse=True):  # one may be the end of another
        for at, word in enumerate(shown):
            if word == secret:
                shown[at] = secrets[secret]
            elif word.startswith("-") and word.endswith(secret):  # such as `-p…`, `-qp…` and `--password=…`
                shown[at] = word.removesuffix(secret) + secrets[secret]
    return shown


def _secrets(command: click.Command, words: Words) -> Mapping[str, str]:
    """The placeholders by secret. Click finds them, because a secret may follow other options in the same word."""
    secrets = [copy(param) for param in command.params if param.name in _SECRETS]
    for param in secrets:
        param.multiple = True  # or else the parser returns only the last value
    parser = copy(command)
    parser.params = [*(param for param in command.params if param.name not in _SECRETS), *secrets]
    values, _ = _parse(parser, words) or ({}, [])
    return {
        value: _placeholder(param).strip("[]")
        for param in secrets
        for value in values.get(param.name or "", ())
        if value
    }
