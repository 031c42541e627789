"""`aws-iot init`: set up a profile, step by step."""

from collections.abc import Sequence
from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.auth.accounts import CodeSent
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output, terminal
from aws_iot.cli.ui.terminal_prompter import TerminalPrompter
from aws_iot.config.paths import expanded
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, LocalError, ProfileError

_WITHOUT_TERMINAL = """\
init asks questions, and there is no terminal. These commands do the same.

With your team's exports file:
  aws-iot config -s aws-exports.json -u alice{key}
  aws-iot signup -e alice@example.com{key}
  aws-iot confirm -c CODE{key}
  aws-iot login{key}

On this machine only:
  aws-iot local --member alice --member bob"""


@click.command(cls=Command)
@options.profile_key("PROFILE", help="Set up this profile.  [default: default, or it asks]")
@options.timeout
@click.pass_context
def init(ctx: click.Context, key: str | None) -> None:
    """Set up a profile step by step.

    It asks where to chat: with your team, or on this machine only. Then it creates your account, or uses
    the one you have, and signs you in. If you stop it, run it again to continue.

    \b
    Examples:
      aws-iot init
      aws-iot init -k team
    """
    app = ctx.find_object(App) or App()
    if not app.settings.has_terminal():
        for line in _WITHOUT_TERMINAL.format(key=f" -k {key}" if key else "").splitlines():
            output.error(line)
        ctx.exit(2)
    try:
        profile, person = app.setup(TerminalSetupPrompter(), lambda key: TerminalPrompter(app, key)).run(key)
    except (KeyboardInterrupt, click.Abort):
        output.error("Stopped. To continue: aws-iot init" + (f" -k {key}" if key else ""))
        raise
    option = "" if profile.key == app.config.profiles.current_key() else f" -k {profile.key}"
    output.info(f"Signed in as {person.username}. Your identity: {person.identity}")
    if not app.auth.sessions.has_connected(profile.key, person.identity):
        from aws_iot.messaging.connect import acceptance_hint, of_user  # here: `--help` need not wait for it

        output.info("An admin has to accept you first.")
        for line in acceptance_hint(of_user(profile, person), person.identity).splitlines():
            output.info(line)
    output.info("")
    output.info(f"To receive messages:  aws-iot sub{option}")
    output.info(f"To send one:          aws-iot pub -r lobby -m hello{option}")


class TerminalSetupPrompter:
    """`SetupPrompter` at the terminal."""

    def continues_with(self, profile: Profile) -> bool:
        self._tell_of(profile, "")
        return self._choose(("Continue with it", "Set up another profile")) == 0

    def show_existing(self, profile: Profile) -> None:
        self._tell_of(profile, " Continuing with it.")

    def _tell_of(self, profile: Profile, then: str) -> None:
        user = f"user {profile.username}, " if profile.username else ""
        output.error(f"The profile '{profile.key}' exists ({user}{profile.endpoint.host}).{then}")

    def replaces_damaged(self, key: str, error: ProfileError) -> bool:
        output.error(f"The profile '{key}' is damaged: {error}.")
        return self._choose(("Set up another profile", "Replace it")) == 1

    def new_key(self) -> str:
        return terminal.ask_line("Name of the new profile")

    def is_local(self) -> bool:
        output.error("Where do you want to chat?")
        team = "With your team: you have its exports file"
        return self._choose((team, "On this machine only: the local stack")) == 1

    def local_stack_started(self) -> None:
        output.error("No local stack is running. In another terminal, run:")
        output.error("  aws-iot local --member alice --member bob")
        terminal.ask_line("Press Enter when it is running", default="")

    def show_note(self, text: str) -> None:
        output.info(text)

    def exports_file(self) -> Path:
        usual = "aws-exports.json"
        return expanded(Path(terminal.ask_line(f"Exports file [{usual}]", default=usual)))

    def endpoint(self) -> str:
        output.error("The file has no IoT endpoint. An admin finds it with:")
        output.error("  aws iot describe-endpoint --endpoint-type iot:Data-ATS")
        return terminal.ask_line("IoT endpoint")

    def username(self, preset: str | None) -> str:
        shown = f" [{output.visible(preset)}]" if preset else ""
        return terminal.ask_line(f"User name{shown}", default=preset)

    def has_account(self, username: str) -> bool:
        output.error(f"Do you have an account '{username}'?")
        return self._choose(("No, create it", "Yes, sign in")) == 1

    def is_own(self, username: str) -> bool:
        output.error(f"Is the account '{username}' yours?")
        return self._choose(("Yes, sign in", "No, choose another name")) == 0

    def email(self) -> str:
        return terminal.ask_line("E-mail address")

    def chosen_password(self, username: str) -> str:
        return terminal.ask_secret(f"New password for {output.visible(username)}", twice=True)

    def code(self, username: str, sent: CodeSent | None) -> str:
        if sent and sent.destination:
            output.error(f"A code was sent to {sent.destination}.")
        return terminal.ask_line(
            f"Code for {output.visible(username)} (press Enter to get a new one)", default=""
        )

    def show_rejection(self, error: AwsIotError) -> None:
        terminal.show_rejection(error)
        # What the hints of services name, `init` does itself.
        if isinstance(error, LocalError):
            output.hints(error)

    def _choose(self, choices: Sequence[str]) -> int:
        """The index of the choice. The first is the default."""
        return terminal.ask_choice(choices, lambda: terminal.ask_line("Number [1]", default="1"))
