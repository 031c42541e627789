"""The table of commands that the Tab key is answered from, made of Click's commands."""

import json
from typing import Any

import click

from aws_iot.cli.commands.help.environment import walk
from aws_iot.cli.commands.help.topics import TOPICS
from aws_iot.cli.completion.names import NAMES
from aws_iot.cli.groups import COMMON, SECTIONS, Group
from aws_iot.cli.options import Option
from aws_iot.cli.root import root


def text() -> str:
    """The file `aws_iot.cli.completion.table.FILE`: a line for each command."""
    rows = ",\n".join(f"{_json(path)}: {_json(_row(command))}" for path, command in walk(root, []))
    topics = {name: topic.summary for name, topic in TOPICS.items()}
    return f'{{"topics": {_json(topics)}, "commands": {{\n{rows}\n}}}}\n'


def _row(command: click.Command) -> dict[str, Any]:
    context = click.Context(command)
    sections = command.sections(context) if isinstance(command, Group) else ()
    parameters = sorted(command.get_params(context), key=_section)
    return {
        "commands": {name: summary for _, rows in sections for name, summary in rows},
        "arguments": [_parameter(one) for one in parameters if isinstance(one, click.Argument)],
        "options": [_option(one) for one in parameters if isinstance(one, click.Option)],
    }


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
