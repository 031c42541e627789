"""`aws-iot` itself: the commands, in the order in which a person needs them."""

import importlib

import click

import aws_iot
from aws_iot.app import App
from aws_iot.cli.errors import RootGroup
from aws_iot.cli.ui import output

# Where each command is, and what the list of commands says of it. A command's module is imported when
# the command is: `--help` and the quick commands would otherwise wait for all of them.
_COMMANDS = {
    "config": ("config:config", "Write a profile: which pools to use, and who you are."),
    "signup": ("account:signup", "Make an account in the user pool."),
    "confirm": ("account:confirm", "Confirm an account with the code that was mailed."),
    "login": ("session:login", "Sign in, and stay signed in: later commands need no password."),
    "logout": ("session:logout", "Sign out: end the session and forget it."),
    "whoami": ("session:whoami", "Show who is signed in, and until when."),
    "password": ("password:password", "Change your password, or reset one that you forgot."),
    "mfa": ("mfa:mfa", "Have a code asked besides your password, or not."),
    "account": ("account:account", "Delete your account."),
    "credentials": (
        "credentials:credentials",
        "Print the AWS keys of whoever is signed in, for other AWS tools.",
    ),
    "sub": ("sub.command:sub", "Hear what is said: each message as it comes, until Ctrl-C."),
    "pub": ("pub.command:pub", "Say something in a room, or many things."),
    "doctor": ("doctor.command:doctor", "Find out why something does not work."),
    "admin": ("admin.command:admin", "Manage team members."),
    "backend": ("backend.command:backend", "Deploy and manage your team's AWS resources."),
    "local": ("local:local", "Run Cognito and AWS IoT Core on this machine."),
    "completion": ("completion:completion", "Print the script that completes commands in a shell."),
}


class _Commands(RootGroup):
    """Knows its commands by name, and imports each when it is asked for."""

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
            import difflib  # here, since few mistype

            near = difflib.get_close_matches(name, _COMMANDS, n=1)
            ctx.fail(f"No such command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(aws_iot.__version__, prog_name="aws-iot", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> None:
    """Chat rooms over AWS IoT Core, from a terminal.

    \b
    The first time, with an AWS account that is set up for it:
      aws-iot config -s aws-exports.json            which pools and endpoint to use
      aws-iot signup -u alice -e alice@example.com  make an account
      aws-iot confirm -u alice -c 123456            confirm it with the mailed code
      aws-iot login -u alice                        stay signed in
      aws-iot sub                                   hear; an admin has to accept you first
      aws-iot pub -r lobby -m hello                 say
      aws-iot doctor                                find out why something does not work

    \b
    Without an AWS account, all of it on this machine:
      aws-iot local

    Profiles are kept in the folder that AWS_IOT_CONFIG_DIR names, or where this system keeps settings.
    """
    ctx.obj = ctx.obj or App()
    ctx.obj.tell = output.info
