"""The environment variables of options."""

from collections.abc import Iterator

import click

from aws_iot.cli.options import Option

MANY = 4
"""The number of commands from which they are counted, not listed."""


def option_variables(command: click.Command) -> list[tuple[str, Option]]:
    """The variable of each visible option of a command."""
    options = [param for param in command.params if isinstance(param, Option) and not param.hidden]
    return [(option.envvar, option) for option in options if isinstance(option.envvar, str)]


def variables(command: click.Command, path: list[str]) -> list[tuple[str, str]]:
    """The variables of a command and its subcommands, and the options that they stand for."""
    uses: dict[str, dict[str, list[str]]] = {}
    for name, one in walk(command, path):
        for variable, option in option_variables(one):
            uses.setdefault(variable, {}).setdefault(", ".join(option.names()), []).append(name)
    return [
        (variable, "; ".join(_use(option, names, path) for option, names in of.items()))
        for variable, of in sorted(uses.items())
    ]


def walk(command: click.Command, path: list[str]) -> Iterator[tuple[str, click.Command]]:
    """A command and its subcommands, each with what is typed for it after `aws-iot`."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = _context(command)
        for name in command.list_commands(context):
            if (sub := command.get_command(context, name)) and not sub.hidden:
                yield from walk(sub, [*path, name])


def _use(option: str, names: list[str], path: list[str]) -> str:
    if names == [" ".join(path)]:
        return option
    return f"{option} ({', '.join(names) if len(names) < MANY else f'{len(names)} commands'})"


def _context(command: click.Command) -> click.Context:
    return click.Context(command, info_name=command.name)
