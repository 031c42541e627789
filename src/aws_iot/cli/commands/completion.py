"""`aws-iot completion`: the completion script of a shell."""

import click
from click.shell_completion import get_completion_class

from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output


@click.command(cls=Command)
@options.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(aws-iot completion bash)"       in ~/.bashrc
      eval "$(aws-iot completion zsh)"        in ~/.zshrc
      aws-iot completion fish > ~/.config/fish/completions/aws-iot.fish
    """
    root = ctx.find_root()
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not supported.")
    output.data(found(root.command, {}, "aws-iot", "_AWS_IOT_COMPLETE").source())
