"""`aws-iot` itself: its commands, in the order in which you need them."""

from __future__ import annotations  # so that what only types need is not imported

import importlib
from collections.abc import Iterable
from itertools import groupby

import click

from aws_iot.app import App
from aws_iot.cli.errors import RootGroup
from aws_iot.cli.groups import Rows
from aws_iot.cli.ui import output

TALK, ACCOUNT, TEAM, SETUP = "Talk", "Account", "Team", "Setup"

# A line for each command: its section in `--help`, its module and name, its summary. A module is imported when its
# command is used: otherwise `--help` and quick commands would wait for all of them.
_COMMANDS = {
    "chat": (TALK, "chat:chat", "Chat on a full screen."),
    "sub": (TALK, "sub.command:sub", "Print messages as they arrive. Ctrl-C stops."),
    "pub": (TALK, "pub.command:pub", "Send one message, or a stream of them, to a room."),
    "history": (TALK, "history.command:history", "Show and search saved messages."),
    "spool": (TALK, "spool:spool", "Show or delete messages that `pub --spool` has not sent."),
    "signup": (ACCOUNT, "account:signup", "Create an account in the user pool."),
    "confirm": (ACCOUNT, "account:confirm", "Confirm an account with the code from the e-mail."),
    "login": (ACCOUNT, "session:login", "Sign in once. Later commands reuse the session."),
    "logout": (ACCOUNT, "session:logout", "Sign out: revoke and delete the saved session."),
    "whoami": (ACCOUNT, "session:whoami", "Show who is signed in, and until when."),
    "password": (ACCOUNT, "password:password", "Change your password, or reset a forgotten one."),
    "mfa": (ACCOUNT, "mfa:mfa", "Manage multi-factor authentication (MFA)."),
    "account": (ACCOUNT, "account:account", "Delete your account."),
    "credentials": (
        ACCOUNT,
        "credentials:credentials",
        "Print your temporary AWS credentials for other tools.",
    ),
    "admin": (TEAM, "admin.command:admin", "Manage team members."),
    "backend": (TEAM, "backend.command:backend", "Deploy and manage your team's AWS resources."),
    "policy": (TEAM, "policy.command:policy", "Explain what policies allow an identity."),
    "init": (SETUP, "init:init", "Set up a profile step by step."),
    "config": (SETUP, "config.command:config", "Save a profile: your pools, endpoint and user."),
    "local": (SETUP, "local:local", "Run Cognito and AWS IoT Core on this machine."),
    "doctor": (SETUP, "doctor.command:doctor", "Find out why something does not work."),
    "help": (SETUP, "help.command:help_", "Print help about a command or a topic."),
    "completion": (SETUP, "completion.command:completion", "Complete commands with the Tab key."),
}


class _Commands(RootGroup):
    """Imports each command when it is used."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            module, _, name = _COMMANDS[cmd_name][1].partition(":")
            self.add_command(
                getattr(importlib.import_module(f"aws_iot.cli.commands.{module}"), name), cmd_name
            )
        return super().get_command(ctx, cmd_name)

    def sections(self, _: click.Context) -> Iterable[tuple[str, Rows]]:
        by_section = groupby(_COMMANDS.items(), lambda item: item[1][0])
        return [(name, [(command, row[2]) for command, row in rows]) for name, rows in by_section]


def _print_versions(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given and not ctx.resilient_parsing:
        from aws_iot.cli import versions  # here: all other lines would wait for it

        output.data("\n".join(versions.lines()))
        ctx.exit()


@click.group(cls=_Commands)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Print the versions of all parts.",
)
@click.pass_context
def root(ctx: click.Context) -> None:
    """Chat rooms over AWS IoT Core, from your terminal.

    \b
    The first time, with the exports file of your team:
      aws-iot init    set up your profile
      aws-iot chat    send and receive messages
      aws-iot doctor  find out what is wrong

    \b
    Without an AWS account, on this machine only:
      aws-iot local --member alice --member bob

    More: `aws-iot help` lists topics such as rooms, environment and exit-codes.
    """
    ctx.obj = (ctx.obj or App()).replace(report=output.info)
