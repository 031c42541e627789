"""What shells complete: the profiles, rooms and members that this machine knows. Nothing is asked of a service.

Files and folders are completed by the shell itself. Every key press waits for this, so little is imported, and an
error is shown as nothing to offer.
"""

import os

import click

from aws_iot.app import App
from aws_iot.errors import LocalError


def profiles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The saved profiles."""
    try:
        return starting(incomplete, _app(ctx).config.profiles.keys())
    except LocalError:
        return []


def rooms(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The rooms that were used with the profile of the command line."""
    try:
        return starting(incomplete, _app(ctx).config.known_names(_profile(ctx)).rooms())
    except LocalError:
        return []


def members(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The members that `admin members` has listed for the profile of the command line."""
    try:
        return starting(incomplete, _app(ctx).config.known_names(_profile(ctx)).members())
    except LocalError:
        return []


def _app(ctx: click.Context) -> App:
    return ctx.obj if isinstance(ctx.obj, App) else App()


def _profile(ctx: click.Context) -> str:
    if ctx.get_parameter_source("key") is click.core.ParameterSource.COMMANDLINE:
        return str(ctx.params["key"])
    return os.environ.get("AWS_IOT_PROFILE") or _app(ctx).config.profiles.default_key()


def starting(incomplete: str, names: list[str]) -> list[str]:
    """Those that begin so, and that every shell can offer."""
    # A shell that reads its offers line by line would take a name with a blank for two.
    return [name for name in names if name.startswith(incomplete) and name.isprintable() and " " not in name]
