"""The command line before the cursor, read as the command would read it: which value comes next."""

from typing import NamedTuple

from aws_iot.cli.completion.table import Command, Parameter


class Typed(NamedTuple):
    """The words before the one that is completed."""

    command: Command
    values: dict[str, list[str]]
    """What was given for each option and argument, by its name in the program."""
    waiting: Parameter | None
    """The option or argument that takes the next word, unless that is an option; None if there is none."""
    subcommands: dict[str, str]
    """Those that may follow here, in the order of the help, with their summaries."""
    is_option_possible: bool
    """False after `--`."""


def read(words: list[str], table: dict[str, Command]) -> Typed:
    """Read the words after the program's name. `table` has each command under its path, such as `admin accept`."""
    path = ""
    while True:
        command = table[path]
        commands, arguments = command["commands"], command["arguments"]
        # As Click does it: in a group, an option after the first argument is the subcommand's. A group that has
        # arguments itself has a subcommand only as its first word.
        options = _Options(command, is_mixed=bool(arguments) or not commands)
        if arguments and words and words[0] in commands:
            subcommand, words = words[0], words[1:]
        else:
            rest = options.read(words)
            if arguments or not rest or rest[0] not in commands:
                return _typed(command, options, rest)
            subcommand, words = rest[0], rest[1:]
        path = f"{path} {subcommand}".strip()


def _typed(command: Command, options: "_Options", rest: list[str]) -> Typed:
    values, waiting = options.values, options.waiting
    # A group that has arguments itself takes any word after its options, or after `--`, as an argument.
    takes_arguments = command["arguments"] and (values or not options.is_possible)
    commands = {} if waiting or rest or takes_arguments else command["commands"]
    for argument in command["arguments"]:
        count = len(rest) if argument["nargs"] < 0 else argument["nargs"]
        values[argument["name"]], rest = rest[:count], rest[count:]
        if not waiting and (argument["nargs"] < 0 or len(values[argument["name"]]) < count):
            waiting = argument
    return Typed(command, values, waiting, commands, options.is_possible)


class _Options:
    """Reads the options of one command.

    Unlike Click, it passes over what the command does not know: the person may correct that later.
    """

    def __init__(self, command: Command, *, is_mixed: bool) -> None:
        """`is_mixed`: options may follow arguments."""
        self._by_name = {name: option for option in command["options"] for name in option["names"]}
        self._is_mixed = is_mixed
        self.values: dict[str, list[str]] = {}
        self.waiting: Parameter | None = None
        self.is_possible = True

    def read(self, words: list[str]) -> list[str]:
        """Return the words that are not options or their values."""
        rest: list[str] = []
        left = words[::-1]
        while left:
            word = left.pop()
            if word == "--":
                self.is_possible = False
                return [*rest, *left[::-1]]
            if word.startswith("-") and len(word) > 1:
                self._read_option(word, left)
                continue
            rest.append(word)
            if not self._is_mixed:
                return [*rest, *left[::-1]]
        return rest

    def _read_option(self, word: str, left: list[str]) -> None:
        """Read an option, and its values from the end of `left`."""
        name, is_joined, value = word.partition("=")
        given = [value] if is_joined else []
        if not word.startswith("--"):  # letters in one word: flags, and perhaps an option with its value
            letters = word[1:]
            while len(letters) > 1 and (flag := self._by_name.get(f"-{letters[0]}")) and not flag["nargs"]:
                self.values.setdefault(flag["name"], []).append("")
                letters = letters[1:]
            name, given = f"-{letters[0]}", [letters[1:]] if letters[1:] else []
        if option := self._by_name.get(name):
            self._take(option, given, left)

    def _take(self, option: Parameter, given: list[str], left: list[str]) -> None:
        is_optional = option.get("is_value_optional")
        while len(given) < option["nargs"] and left and not (is_optional and left[-1].startswith("-")):
            given.append(left.pop())
        is_complete = len(given) == option["nargs"]
        if not is_complete and not left:
            self.waiting = option
        if is_complete or is_optional:
            self.values.setdefault(option["name"], []).append(" ".join(given))
