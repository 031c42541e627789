"""`aws-iot` itself: the commands, in the order in which a person needs them."""

import click

import aws_iot
from aws_iot.app import App
from aws_iot.cli.account import confirm, signup
from aws_iot.cli.admin import admin
from aws_iot.cli.completion import completion
from aws_iot.cli.config import config
from aws_iot.cli.errors import RootGroup
from aws_iot.cli.local import local
from aws_iot.cli.room import pub, sub
from aws_iot.cli.session import login, logout, whoami


class _InOrder(RootGroup):
    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(aws_iot.__version__, prog_name="aws-iot", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Chat rooms over AWS IoT Core, from a terminal.

    \b
    The first time, with an AWS account that is set up for it:
      aws-iot config -s aws-exports.json            which pools and endpoint to use
      aws-iot signup -u alice -e alice@example.com  make an account
      aws-iot confirm -u alice -c 123456            confirm it with the mailed code
      aws-iot sub -u alice                          hear; an admin has to accept you first
      aws-iot pub -u alice -r lobby -m hello        say

    \b
    Without an AWS account, all of it on this machine:
      aws-iot local

    Profiles are kept in the folder that AWS_IOT_CONFIG_DIR names, or where this system keeps settings.
    """
    ctx.obj = ctx.obj or App()


for _command in (config, signup, confirm, login, logout, whoami, sub, pub, admin, local, completion):
    root.add_command(_command)
