"""Report a mistake: what is wrong, and the line that was probably meant."""

from __future__ import annotations  # so that what only types need is not imported

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.exceptions import NoArgsIsHelpError

from aws_iot.app import App
from aws_iot.cli.mistakes.correction import correct, instead, similar_options, wants_help
from aws_iot.cli.ui import output
from aws_iot.errors import AwsIotError

if TYPE_CHECKING:
    from collections.abc import Sequence


def report(root: click.Group, typed: Sequence[str], error: click.UsageError) -> int:
    """Print the error, and return the exit code. `COMMAND help` is no error: it prints the command's help."""
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.message, err=True, color=error.ctx.color if error.ctx else None)
        _suggest_init(root, error.ctx)
        return error.exit_code
    if command := wants_help(root, typed):
        _show_help(command, typed[:-1])
        return 0
    advice = instead(root, typed)
    line = None if advice else correct(root, typed)
    output.error(f"Error: {_message(error, has_suggestion=line is not None)}")
    if advice:
        output.hint(advice)
    elif line:
        output.hint(f"Did you mean: {line}")
    elif error.ctx:
        output.hint(f"For help: {error.ctx.command_path} --help")
    return error.exit_code


def _message(error: click.UsageError, *, has_suggestion: bool) -> str:
    """Click's message on one line, without its own guess if that is a bad one or there is a better one."""
    if isinstance(error, click.NoSuchOption):
        similar = similar_options(error.option_name, error.possibilities or ())
        error = click.NoSuchOption(error.option_name, error.message, similar, error.ctx)
    text = error.message if has_suggestion and hasattr(error, "possibilities") else error.format_message()
    if found := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", text, re.DOTALL):
        several = "arguments" in text.partition("(")[0] and " " in found[1]
        return f"Unexpected argument{'s' if several else ''}: {found[1]}"
    return " ".join(text.split())


def _show_help(command: click.Command, path: Sequence[str]) -> None:
    context = click.Context(command, info_name=" ".join(("aws-iot", *path)))
    click.echo(command.get_help(context), color=context.color)


def _suggest_init(root: click.Group, context: click.Context | None) -> None:
    """Tell a new user where to start."""
    if not context or context.command is not root:
        return
    with suppress(AwsIotError):  # such as a folder that cannot be read: no reason to fail here
        if not (context.find_object(App) or App()).config.profiles.keys():
            click.echo(err=True)
            output.hint("You have no profile yet. To set one up step by step: aws-iot init")
