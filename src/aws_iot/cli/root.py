"""`aws-iot` itself: its commands, in the order in which you need them."""

import importlib

import click

import aws_iot
from aws_iot.app import App
from aws_iot.cli.errors import RootGroup
from aws_iot.cli.ui import output

# The module of each command, and its summary. A module is imported when its command is used: otherwise `--help` and
# quick commands would wait for all of them.
_COMMANDS = {
    "init": ("init:init", "Set up a profile step by step."),
    "config": ("config.command:config", "Save a profile: your pools, endpoint and user."),
    "signup": ("account:signup", "Create an account in the user pool."),
    "confirm": ("account:confirm", "Confirm an account with the code from the e-mail."),
    "login": ("session:login", "Sign in once. Later commands reuse the session."),
    "logout": ("session:logout", "Sign out: revoke and delete the saved session."),
    "whoami": ("session:whoami", "Show who is signed in, and until when."),
    "password": ("password:password", "Change your password, or reset a forgotten one."),
    "mfa": ("mfa:mfa", "Manage multi-factor authentication (MFA)."),
    "account": ("account:account", "Delete your account."),
    "credentials": (
        "credentials:credentials",
        "Print your temporary AWS credentials for other tools.",
    ),
    "sub": ("sub.command:sub", "Print messages as they arrive. Ctrl-C stops."),
    "pub": ("pub.command:pub", "Send one message, or a stream of them, to a room."),
    "spool": ("spool:spool", "Show or delete messages that `pub --spool` has not sent."),
    "doctor": ("doctor.command:doctor", "Find out why something does not work."),
    "admin": ("admin.command:admin", "Manage team members."),
    "backend": ("backend.command:backend", "Deploy and manage your team's AWS resources."),
    "local": ("local:local", "Run Cognito and AWS IoT Core on this machine."),
    "completion": ("completion:completion", "Print the completion script of a shell."),
}


class _Commands(RootGroup):
    """Imports each command when it is used."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            module, _, name = _COMMANDS[cmd_name][0].partition(":")
            self.add_command(
                getattr(importlib.import_module(f"aws_iot.cli.commands.{module}"), name), cmd_name
            )
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            import difflib  # here, because it is rarely needed

            near = difflib.get_close_matches(name, _COMMANDS, n=1)
            ctx.fail(f"No such command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def summaries(self, _: click.Context) -> list[tuple[str, str]]:
        return [(name, summary) for name, (_, summary) in _COMMANDS.items()]


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(aws_iot.__version__, prog_name="aws-iot", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Chat rooms over AWS IoT Core, from your terminal.

    \b
    The first time, with the exports file of your team:
      aws-iot config -s aws-exports.json            save a profile
      aws-iot signup -u alice -e alice@example.com  create an account
      aws-iot confirm -u alice -c 123456            confirm it with the code from the e-mail
      aws-iot login -u alice                        sign in
      aws-iot sub                                   receive messages, once an admin has accepted you
      aws-iot pub -r lobby -m hello                 send a message
      aws-iot doctor                                find out why something does not work

    \b
    Without an AWS account, on this machine only:
      aws-iot local

    Profiles are stored in AWS_IOT_CONFIG_DIR or, if it is not set, in the settings folder of your system.
    """
    ctx.obj = (ctx.obj or App()).replace(report=output.info)
