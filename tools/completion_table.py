"""The table of commands that the Tab key is answered from, made of Click's commands."""

import json
from collections.abc import Iterator
from typing import Any

import click

from aws_iot.cli.commands.help.topics import TOPICS
from aws_iot.cli.completion.names import NAMES
from aws_iot.cli.groups import COMMON, SECTIONS, Group
from aws_iot.cli.options import Option
from aws_iot.cli.root import root


def text() -> str:
    """The file `aws_iot.cli.completion.table.FILE`: a line for each command."""
    rows = [f"{_json(path)}: {_json(row)}" for path, row in _rows(root, "")]
    lines = ",\n".join(rows)
    topics = {name: topic.summary for name, topic in TOPICS.items()}
    return f'{{"topics": {_json(topics)}, "commands": {{\n{lines}\n}}}}\n'


def _rows(command: click.Command, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    context = click.Context(command)
    rows = command.sections(context) if isinstance(command, Group) else ()
    commands = {name: summary for _, section in rows for name, summary in section}
    parameters = command.get_params(context)
    yield (
        path,
        {
            "commands": commands,
            "arguments": [_parameter(one) for one in parameters if isinstance(one, click.Argument)],
            "options": [
                _option(one) for one in sorted(parameters, key=_section) if isinstance(one, click.Option)
            ],
        },
    )
    for name in commands:
        assert isinstance(command, Group)
        found = command.get_command(context, name)
        assert found
        yield from _rows(found, f"{path} {name}".strip())


def _section(parameter: click.Parameter) -> int:
    """Where it is in the help, in which `--help` is one of the common options."""
    return SECTIONS.index(getattr(parameter, "section", COMMON))


def _option(option: click.Option) -> dict[str, Any]:
    is_flag = option.is_flag or option.count
    shown = option.names() if isinstance(option, Option) else option.opts
    row = {
        "names": option.opts,
        "help": option.help,
        **_parameter(option),
        "nargs": 0 if is_flag else option.nargs,
    }
    more = {
        "old_names": [name for name in option.opts if name not in shown],
        "hidden": option.hidden,
        "multiple": option.multiple,
        "is_value_optional": option._flag_needs_value,
    }
    return row | {name: value for name, value in more.items() if value}


def _parameter(parameter: click.Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "nargs": parameter.nargs, "completes": _completes(parameter)}


def _completes(parameter: click.Parameter) -> str | list[str]:
    if named := getattr(parameter, "completes", ""):
        if not isinstance(named, str):
            return list(named)
        if named not in ("help", *NAMES):
            raise ValueError(f"{parameter.name} is completed with {named}, which is not a key of NAMES")
        return named
    if isinstance(parameter.type, click.Choice):
        return list(parameter.type.choices)
    if isinstance(parameter.type, click.Path):
        return "files" if parameter.type.file_okay else "folders"
    return []


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
