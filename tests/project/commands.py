"""Every command there is, for the rules that hold for all of them."""

from collections.abc import Iterator

import click

from aws_iot.cli.root import root


def _walk(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, **root.context_settings)
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            assert sub
            yield from _walk(f"{path} {name}".strip(), sub)


COMMANDS = dict(_walk("", root))
"""By what is typed after `aws-iot`: "" is `aws-iot` itself."""

OPTIONS = [
    (path, option)
    for path, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and option.name not in ("help", "version")
]
"""Every option of every command, with the path of its command."""
