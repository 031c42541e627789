"""What shells complete: the profiles, rooms and members that this machine knows. Nothing is asked of a service.

Files and folders are completed by the shell itself. Every key press waits for this, so little is imported, and an
error is shown as nothing to offer.
"""

import click

from aws_iot.app import App
from aws_iot.errors import LocalError

PLAIN = "/_-.+:@#~"
"""What means itself within a word, apart from letters and digits."""
NOT_FIRST = tuple("-@#~")
"""What begins an option, a comment, or the name of a folder or variable."""


def profiles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The saved profiles."""
    try:
        return starting(incomplete, app_of(ctx).config.profiles.keys())
    except LocalError:
        return []


def rooms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The rooms that were used with the profile of the command line, except those that are on it already."""
    try:
        known = app_of(ctx).config.known_names(profile_key(ctx)).rooms()
        return starting(incomplete, [room for room in known if room not in typed(ctx, param)])
    except LocalError:
        return []


def members(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The members that `admin members` has listed for the profile of the command line."""
    try:
        return starting(incomplete, app_of(ctx).config.known_names(profile_key(ctx)).members())
    except LocalError:
        return []


def typed(ctx: click.Context, param: click.Parameter) -> tuple[str, ...]:
    """The other values of an option or argument that can be repeated."""
    values = ctx.params.get(param.name or "")
    return values if isinstance(values, tuple) else ()


def app_of(ctx: click.Context) -> App:
    """The program's services, also while a shell completes."""
    return ctx.obj if isinstance(ctx.obj, App) else App()


def profile_key(ctx: click.Context) -> str:
    """The key of the profile of the command line, or else of the current one."""
    if ctx.get_parameter_source("key") is click.core.ParameterSource.COMMANDLINE:
        return str(ctx.params["key"])
    return app_of(ctx).config.profiles.current_key()


def starting(incomplete: str, names: list[str]) -> list[str]:
    """Those that begin so, and that mean themselves in every shell.

    Other people name rooms, and bash puts an offer into the line as it is: `ops;reboot` would be two commands.
    """
    return [name for name in names if name.startswith(incomplete) and _means_itself(name)]


def _means_itself(name: str) -> bool:
    return name[:1] not in NOT_FIRST and all(map(_is_plain, name)) and name.isprintable()


def _is_plain(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in PLAIN
    # Its quotes and dashes are quotes and dashes for PowerShell.
    return not "\N{EN QUAD}" <= char <= "\N{NOMINAL DIGIT SHAPES}"  # the block General Punctuation
