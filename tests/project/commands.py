"""Every command there is, for the rules that hold for all of them."""

import click

from aws_iot.cli.commands.help.environment import walk
from aws_iot.cli.root import root

COMMANDS = dict(walk(root, []))
"""By what is typed after `aws-iot`: "" is `aws-iot` itself."""

OPTIONS = [
    (path, option)
    for path, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and option.name not in ("help", "version")
]
"""Every option of every command, with the path of its command."""
