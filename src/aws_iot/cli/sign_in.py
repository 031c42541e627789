"""Who signs in, and with which password: given, from standard input, preset, or asked for."""

import sys

import click

from aws_iot.app import App
from aws_iot.profile import Profile


def username_of(profile: Profile, given: str | None) -> str:
    """The user that was named, or the profile's."""
    username = given or profile.username
    if not username:
        raise click.UsageError(
            f"Who are you? Give -u USER, set AWS_IOT_USER, or preset it: aws-iot config -u USER -k {profile.key}"
        )
    return username


def password_of(app: App, profile: Profile, username: str, given: str | None, from_stdin: bool) -> str:
    """The password of `username`; a preset one serves only the user it was preset with."""
    chosen = chosen_password(given, from_stdin)
    return chosen or app.passwords.get(profile.key, username) or ask_password(app, username)


def chosen_password(given: str | None, from_stdin: bool) -> str | None:
    """The password that an option or variable gives, if any does."""
    if from_stdin:
        source = click.get_current_context().get_parameter_source("password")
        if source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("-p and --password-stdin exclude each other.")
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise click.UsageError("--password-stdin: standard input holds no password.")
    if given and any("\ud800" <= c <= "\udfff" for c in given):  # what Python makes of bytes that are no text
        raise click.UsageError("The password is not valid UTF-8.")
    return given


def ask_password(app: App, username: str, *, twice: bool = False) -> str:
    """Ask the person at the terminal, without echo; an error that says what else there is, if nobody is there."""
    if not app.has_terminal():
        raise click.UsageError(
            "A password is needed, and there is no terminal to ask for it:"
            " use --password-stdin or set AWS_IOT_PASSWORD."
        )
    password: str = click.prompt(
        f"Password of {username}", hide_input=True, err=True, confirmation_prompt=twice
    )
    return password
