"""`aws-iot local`: run all services on this machine, without an AWS account."""

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.shell import setting
from aws_iot.config.exports import to_exports
from aws_iot.config.local_stack import announced, profiles_of, require_replaceable
from aws_iot.config.paths import VARIABLE
from aws_iot.config.profile import Profile, checked_key
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import LocalError, ProfileError
from aws_iot.files import exclusive, write_private

if TYPE_CHECKING:
    from aws_iot.local.stack import LocalStack

_PORT = options.Whole(1, 65535)
_SECONDS = options.Number(0, min_open=True)


def _checked_members(ctx: click.Context, _: click.Parameter, names: tuple[str, ...]) -> list[str]:
    """The names, each once. Raises a usage error if one cannot name a profile, or is the stack's own profile."""
    for name in names:
        try:
            checked_key(name)
        except ProfileError as error:
            raise click.BadParameter(f"{error}. Repeat --member for each person.") from error
        if name == ctx.params.get("key"):
            raise click.BadParameter(
                f"'{name}' is the profile of the local stack itself. Choose another with -k."
            )
    return list(dict.fromkeys(names))


def _for_testers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the hidden options, which CONTRIBUTING.md describes."""
    for decorate in (
        options.option(
            "--credentials-seconds",
            env="LOCAL_CREDENTIALS_SECONDS",
            type=_SECONDS,
            hidden=True,
            help="How long AWS credentials are valid.  [default: 1 hour]",
        ),
        options.option(
            "--link-seconds",
            env="LOCAL_LINK_SECONDS",
            type=_SECONDS,
            hidden=True,
            help="Close connections to the broker after this time.  [default: never]",
        ),
        options.option(
            "--refusal",
            env="LOCAL_REFUSAL",
            type=click.Choice(["puback", "disconnect", "cut"]),
            default="puback",
            hidden=True,
            help="How the broker refuses a publish that a policy forbids.",
        ),
    ):
        command = decorate(command)
    return command


@click.command(cls=Command)
@options.option(
    "--member",
    "members",
    env="LOCAL_MEMBER",
    multiple=True,
    metavar="NAME",
    callback=_checked_members,
    help="Create an account that is accepted and signed in, and a profile of that name; can be repeated.",
)
@options.option(
    "--keep", env="LOCAL_KEEP", is_flag=True, help="Save accounts and keys for the next start with --keep."
)
@options.profile_key(
    "LOCAL_PROFILE", default="local", show_default=True, is_eager=True, help="Write this profile."
)
@options.option(
    "--port",
    "api_port",
    env="LOCAL_PORT",
    type=_PORT,
    metavar="PORT",
    help="The port of the HTTP services.  [default: 4566, or a free one]",
)
@options.option(
    "--mqtt-port",
    env="LOCAL_MQTT_PORT",
    type=_PORT,
    metavar="PORT",
    help="The port of the MQTT broker.  [default: 8443, or a free one]",
)
@options.option(
    "-o",
    "--exports",
    "exports",
    env="LOCAL_EXPORTS",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the exports file here.  [default: in the config folder]",
)
@options.option("-v", "--verbose", env="VERBOSE", is_flag=True, help="Show the log of the services.")
@_for_testers
@click.pass_obj
def local(app: App, /, members: list[str], key: str, exports: Path | None, **settings: Any) -> None:
    """Run Cognito and AWS IoT Core on this machine.

    For trying things out and for tests. Needs no AWS account, and listens only on 127.0.0.1. It checks
    passwords, codes, signatures and policies like AWS. Ctrl-C stops it.

    When it stops, accounts and messages are lost. With --keep, accounts are saved, and so are keys, ports
    and the certificate. They come back the next time you use --keep with the same profile. Starting
    without it leaves them alone.

    \b
    Examples:
      aws-iot local --member alice --member bob
      aws-iot local --member alice --keep
      aws-iot local -k test --port 5000 --mqtt-port 5001
    """
    output.need_stdout()
    with _stopping(), _own_folder(app.settings.folders.local_stacks, key) as folder:
        key, keep = folder.name, settings["keep"]
        exports = exports or folder / "aws-exports.json"
        for name in (key, *members):
            require_replaceable(app.config.profiles.find(name), str(folder))
        with app.local.stack(folder, **settings) as stack:
            write_private(exports, json.dumps(to_exports(stack.profile), indent=2).encode() + b"\n")
            app.config.profiles.change(
                key, lambda old: stack.profile._replace(username=old.username if old else None)
            )
            with announced(folder, stack.profile, _start_command(key, members, keep=keep), members):
                saved = _add_members(app, stack.profile._replace(key=key), members, restore=keep)
                output.data(_welcome(stack, key, exports, _People(members, saved), keep=keep))
                never = threading.Event()
                # Short waits, because on Windows Ctrl-C does not interrupt one.
                while not never.wait(POLL_SECONDS):
                    for notice in stack.notices():
                        output.error(notice)


@contextmanager
def _stopping() -> Iterator[None]:
    """Tell a person who has pressed Ctrl-C when the stack has stopped."""
    try:
        yield
    except KeyboardInterrupt:
        output.break_line()
        output.info("The local stack has stopped.")
        raise click.Abort from None


def _start_command(key: str, members: Sequence[str], *, keep: bool) -> str:
    """The command that starts such a stack."""
    own = [] if key == "local" else ["-k", key]
    named = [word for name in members for word in ("--member", name)]
    return " ".join(["aws-iot", "local", *own, *named, *(["--keep"] if keep else [])])


class _People(NamedTuple):
    """The people on the stack: the members that this start names, and the profiles of those from earlier ones."""

    members: Sequence[str]
    saved: Sequence[str]


def _add_members(app: App, profile: Profile, names: Sequence[str], *, restore: bool) -> list[str]:
    """Add the members. With `restore`, the result has the profiles of the other people who are on the stack."""
    if names or restore:
        adding = app.local.members(profile)
        for name in names:
            adding.add(name)
        if restore:
            adding.restore()
            return [key for key in profiles_of(profile, app.config.profiles) if key not in names]
    return []


@contextmanager
def _own_folder(parent: Path, key: str) -> Iterator[Path]:
    """A folder that no other local stack uses, named after the profile to write: KEY, or KEY-2, KEY-3 …

    A key that was given as an option is not changed: if it is in use, raise `LocalError`.
    """
    chosen = click.get_current_context().get_parameter_source("key") is not click.core.ParameterSource.DEFAULT
    names = (key if number == 1 else f"{key}-{number}" for number in itertools.count(1))
    for name in names:
        with exclusive(parent / checked_key(name), seconds=0) as held:
            if held:
                yield parent / name
                return
        if chosen:
            raise LocalError(
                f"a local stack with the profile '{key}' is already running",
                hint="Choose another profile: -k KEY",
            )


def _welcome(stack: "LocalStack", key: str, exports: Path, people: _People, *, keep: bool) -> str:
    from aws_iot.local.stack import CONFIRMATION_CODE, RESET_CODE

    start = _start_command(key, people.members, keep=True)
    end = "\nAccounts are saved for the next start with --keep." if keep else " That deletes its accounts."
    if stack.leaves_saved_accounts:
        end += f"\nAccounts that an earlier --keep saved are not used now.\nTo use them:\n  {start}"
    return f"""\
The local stack is running, on this machine only.
Ctrl-C stops it.{end}

{_next_steps(key, people, keep=keep)}
Exports file, the admin's AWS credentials, CA certificate:
  {exports}
  {stack.admin_file}
  {stack.ca_file}

What runs here:
  Cognito, IoT, CloudFormation   {stack.api_url}
  MQTT broker                    {stack.endpoint}
  profile                        {key}
  confirmation code              {CONFIRMATION_CODE}
  reset code for passwords       {RESET_CODE}"""


def _next_steps(key: str, people: _People, *, keep: bool) -> str:
    variable = _config_variable()
    if names := [*people.members, *people.saved]:
        first = f"In each new terminal, first:\n{variable}\n" if variable else ""
        last = (people.members or people.saved)[-1]
        chats = "\n".join(f"  aws-iot chat -k {name}" for name in dict.fromkeys([names[0], last]))
        return f"""\
{_who(people)}
{first}In other terminals, chat:
{chats}
Or receive messages in one, and send one in another:
  aws-iot sub -k {names[0]}
  aws-iot pub -k {last} -r lobby -m hello
"""
    return f"""\
For two people who can talk at once, stop it, and run:
  {_start_command(key, ("alice", "bob"), keep=keep)}

Or add a person, in a second terminal:
{variable}  aws-iot init
"""


def _who(people: _People) -> str:
    from aws_iot.local.members import PASSWORD

    lines = []
    if people.members:
        is_one = len(people.members) == 1
        who = f"{_listed(people.members)} {'is signed in,' if is_one else 'are signed in, each'}"
        lines += [f"{who} with a profile of that name.", f"The password is {PASSWORD}."]
    if people.saved:
        lines.append(f"Profiles of an earlier start, which you can use: {_listed(people.saved)}.")
    return "\n".join(lines) + "\n"


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _config_variable() -> str:
    """What to type first in another terminal; empty if nothing."""
    if not (folder := os.environ.get(VARIABLE)):
        return ""
    return f"  {setting(VARIABLE, folder)}\n"
