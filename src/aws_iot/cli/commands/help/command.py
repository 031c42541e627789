"""`aws-iot help`: print the help of a command or about a topic."""

import click

from aws_iot.cli import options
from aws_iot.cli.commands.help.environment import variables
from aws_iot.cli.commands.help.exit_codes import exit_codes
from aws_iot.cli.commands.help.topics import TOPICS
from aws_iot.cli.groups import Command, Group, page
from aws_iot.cli.mistakes.correction import find_command

LONGEST_VARIABLE = 30
"""Longer names of variables are on a line of their own."""


@click.command("help", cls=Command)
@options.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]...", completes="help")
@click.pass_context
def help_(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Print help about a command or a topic.

    Without a name, it lists the commands and topics.

    \b
    Examples:
      aws-iot help
      aws-iot help admin accept
      aws-iot help exit-codes
      aws-iot help environment sub
    """
    root = ctx.find_root().command
    assert isinstance(root, Group)
    if not words:
        _print_index(ctx, root)
    elif words[0] in TOPICS:
        _print_topic(ctx, root, words[0], words[1:])
    else:
        path, command = _find(root, words)
        context = click.Context(command, info_name=" ".join(("aws-iot", *path)))
        click.echo(command.get_help(context), color=context.color)


def _find(root: Group, words: tuple[str, ...]) -> tuple[list[str], click.Command]:
    path, command = find_command(root, words)
    if command is None:
        raise click.UsageError(
            f"There is no command or topic '{' '.join(words)}'. `aws-iot help` lists them."
        )
    return path, command


def _print_index(ctx: click.Context, root: Group) -> None:
    formatter = page(ctx)
    formatter.write_sections(
        [*root.sections(ctx), ("Topics", [(name, one.summary) for name, one in TOPICS.items()])]
    )
    formatter.write_paragraph()
    formatter.write_text("For more, use `aws-iot help COMMAND` or `aws-iot help TOPIC`.")
    click.echo(formatter.getvalue().strip("\n"), color=ctx.color)


def _print_topic(ctx: click.Context, root: Group, name: str, path: tuple[str, ...]) -> None:
    formatter = page(ctx)
    formatter.write_text(TOPICS[name].text)
    if name == "exit-codes":
        formatter.write_paragraph()
        formatter.write_dl([(str(code), meaning) for code, meaning in exit_codes().items()])
    elif name == "environment":
        _, command = _find(root, path) if path else ([], root)
        with formatter.section("Variables of options"):
            formatter.write_dl(variables(command, list(path)), col_max=LONGEST_VARIABLE)
    elif path:
        raise click.UsageError(f"The topic '{name}' stands alone: aws-iot help {name}")
    click.echo(formatter.getvalue().strip("\n"), color=ctx.color)
