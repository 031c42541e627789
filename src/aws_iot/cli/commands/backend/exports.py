"""`aws-iot backend exports`: write the file that members need."""

from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.backend.hints import recovery_hint
from aws_iot.backend.local_files import check_replaceable, exports_text
from aws_iot.cli import options
from aws_iot.cli.commands.backend.options import exports_file, find_stack, replace, stack_options
from aws_iot.cli.commands.config.editor import editor_of
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile, checked_key
from aws_iot.errors import ServiceRefused
from aws_iot.files import write_private


@click.command("exports", cls=Command)
@stack_options
@replace
@options.profile_key("BACKEND_PROFILE", help="Use the stack of this profile, or write a new profile.")
@exports_file
@click.pass_obj
def exports_command(
    app: App,
    name: str,
    region: str | None,
    aws_profile: str | None,
    overwrite: bool,
    key: str | None,
    exports: Path | None,
) -> None:
    """Write the exports file for members, for an existing stack.

    With -k, it is the stack that the profile was made from. With --name or --replace, or if there is no such
    profile yet, -k writes the profile, too.

    \b
    Examples:
      aws-iot backend exports
      aws-iot backend exports -o - -k team
      aws-iot backend exports --name ops -k ops
    """
    is_known = key and checked_key(key) in app.config.profiles.keys()
    known = key if is_known and not overwrite else None
    deployment, state = find_stack(app, name, region, aws_profile, known)
    stack = deployment.name
    if not state.outputs:
        raise ServiceRefused(
            f"the stack {stack.name} has no outputs yet: {state.status}",
            hint=recovery_hint(stack, state) or f"To see its state: {stack.command('status')}",
        )
    profile = deployment.profile(state)
    if not overwrite:
        check_replaceable(exports, key, app.config.profiles, profile)
    # A profile that named the stack is unchanged: a person may have changed its endpoints.
    write_exports(app, profile, exports, None if stack.key else key)


def write_exports(app: App, profile: Profile, exports: Path | None, key: str | None) -> None:
    """Write the exports file (None: print it), and the profile `key` if it was asked for."""
    text = exports_text(profile)
    if exports is None:
        output.data(text)
    else:
        write_private(exports, text.encode() + b"\n")
        output.info(f"Wrote {exports}. Members need this file.")
    if key:
        editor_of(app).replace(key, profile, keep_username=True)
        output.info(f"Wrote the profile '{key}'.")
