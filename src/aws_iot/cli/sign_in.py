"""Who signs in, and how: as is kept, or with a password that is given, preset, or asked for."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
import sys
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.auth.credentials import RENEW_BEFORE
from aws_iot.auth.login import TOKENS_BEFORE
from aws_iot.cli.challenges import Asker
from aws_iot.cli.options import is_typed
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_secret, need_terminal
from aws_iot.config.secrets import KINDS
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    LocalError,
    NotAccepted,
    NotAuthorized,
    SignInRefused,
    Unreachable,
    WrongPassword,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_iot.auth.login import SignIn
    from aws_iot.auth.session import Session
    from aws_iot.auth.session_store import Kept
    from aws_iot.config.profile import Profile


@contextmanager
def suggest_doctor(key: str) -> Iterator[None]:
    """Say with what stands in the way to the services, or is refused there, where to look further."""
    try:
        yield
    except (CredentialsRefused, NotAuthorized, Unreachable) as error:
        if not isinstance(error, NotAccepted):  # whom an admin has to accept, and that is all
            line = f"To find out why: aws-iot doctor -k {key}"
            error.hint = f"{error.hint}\n{line}" if error.hint else line
        raise


def signed_in(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    ask: bool = True,
    left: timedelta = RENEW_BEFORE,
) -> tuple[SignIn, Kept]:
    """Somebody signed in: as is kept, or by a password, which is then spared the next command.

    A password given with the command itself is tried, whatever is kept, and its session is not kept.
    Without `ask`, who is not signed in and has no password preset is refused rather than asked. `left` is how
    much of the credentials' life must be left.
    """
    sign_in, asker = app.sign_in(profile), Asker.of_command(app, profile, may_ask=ask)
    kept = app.sessions.load(profile)
    if not ask and not (user or profile.username or kept):
        raise not_signed_in(profile)
    username = username_of(profile, user, kept, for_password=bool(password) or from_stdin)
    if from_stdin or is_typed("password"):
        kept = sign_in.by_password(username, chosen_password(password, from_stdin) or "", asker)
        if asker.new_password:
            forget_preset(app, profile.key, username)
        return sign_in, kept
    try:
        kept = sign_in.kept(username, left=left)
    except SignInRefused as ended:
        preset = app.secrets.owner("password", profile.key) == username
        if not (password or preset or (ask and app.has_terminal())):
            raise
        output.info(f"Signing in anew: {ended}.")
        kept = None
    if kept is None:
        here = app.sessions.load(profile)
        another = here is not None and here.session.username != username  # whom only `login` replaces
        kept = by_password(app, sign_in, profile, username, password, from_stdin, ask=ask, keep=not another)
    return sign_in, kept


def session_alone(
    app: App, profile: Profile, user: str | None, password: str | None, from_stdin: bool
) -> tuple[Session, str]:
    """Live tokens of somebody, and how they were come by, in words; nothing that is kept changes but by a renewal.

    As `signed_in`, without credentials. Raises `SignInRefused` where nobody is there to be asked.
    """
    ask = app.has_terminal()
    sign_in, asker = app.sign_in(profile), Asker.of_command(app, profile, may_ask=ask)
    kept = app.sessions.load(profile)
    if not (user or profile.username or kept):
        raise not_signed_in(profile)
    username = username_of(profile, user, kept, for_password=bool(password) or from_stdin)
    secret = chosen_password(password, from_stdin) if from_stdin or is_typed("password") else None
    if secret is None and kept and kept.session.username == username:
        session = _live_tokens(app, profile, sign_in, kept)
        if session:
            return session, "whose session is kept (the user pool was not asked whether it still takes it)"
    secret = secret or password_of(app, profile, username, password, from_stdin=False, ask=ask)
    try:
        session = sign_in.session(username, secret, asker)
    except WrongPassword as error:
        error.hint = (
            "Type or preset the right one. If it is right, the app client may be of another user pool: check"
            f" aws_user_pools_web_client_id in the profile: aws-iot config show -k {profile.key}"
        )
        raise
    if asker.new_password:
        forget_preset(app, profile.key, username)
    return session, "by password"


def serves_alone(app: App, kept: Kept, user: str | None, from_stdin: bool) -> bool:
    """Whether the kept session is what a command would use, without a word with the user pool."""
    is_meant = user in (None, kept.session.username) and not (from_stdin or is_typed("password"))
    return is_meant and kept.session.expires - app.now() >= TOKENS_BEFORE


def _live_tokens(app: App, profile: Profile, sign_in: SignIn, kept: Kept) -> Session | None:
    """The kept session, renewed if need be, also where that leads to no credentials; None for a password instead."""
    username = kept.session.username
    try:
        found = sign_in.kept(username, tokens_left=TOKENS_BEFORE)
    except AwsIotError as error:
        found = app.sessions.load(profile)
        if found and found.session.id_token != kept.session.id_token:
            return found.session  # it was renewed, and the rest failed
        if isinstance(error, SignInRefused) and (app.has_terminal() or _preset(app, profile, username)):
            return None
        raise
    return found.session if found else None


def by_password(
    app: App,
    sign_in: SignIn,
    profile: Profile,
    username: str,
    given: str | None,
    from_stdin: bool,
    *,
    ask: bool = True,
    keep: bool = True,
) -> Kept:
    """Sign in with the password that `password_of` finds, and (`keep`) spare the next command that."""
    preset = None if given or from_stdin else _preset_if_it_can_be(app, profile, username, ask=ask)
    secret = preset or password_of(app, profile, username, given, from_stdin, ask=ask)
    asker = Asker.of_command(app, profile, may_ask=ask)
    try:
        kept = sign_in.by_password(username, secret, asker)
    except WrongPassword as error:
        if not preset:
            raise
        raise WrongPassword(
            f"{error}: the one that was tried is preset, and may have been changed elsewhere",
            hint=f"Preset the new one: aws-iot config -p PASS -k {profile.key}",
        ) from error
    if keep:
        kept = sign_in.keep(kept)
    if asker.new_password:
        forget_preset(app, profile.key, username)
    return kept


def forget_preset(app: App, key: str, username: str) -> None:
    """The user's password was changed: a preset one serves no more."""
    if app.secrets.owner("password", key) == username:
        app.secrets.remove("password", key)
        output.info(
            f"The one that was preset is forgotten. To preset the new one: aws-iot config -p PASS -k {key}"
        )


def forget_all(app: App, key: str, username: str | None = None) -> None:
    """Keep nothing of this user under the profile, or of anybody; what a keyring does not let go of is told."""
    work: list[Callable[[], object]] = [lambda: app.sessions.forget(key)]
    for kind in KINDS:
        if username in (None, app.secrets.owner(kind, key)):
            work.append(partial(app.secrets.remove, kind, key))
    for forget in work:
        try:
            forget()
        except LocalError as error:
            output.info(f"{error}.")


def require_session(app: App, profile: Profile) -> Kept:
    """The kept session with live tokens, renewed first if need be. Raises `SignInRefused`."""
    kept = app.sessions.load(profile)
    if kept:
        kept = app.sign_in(profile).kept(kept.session.username, tokens_left=TOKENS_BEFORE)
    if kept is None:
        raise not_signed_in(profile)
    return kept


def not_signed_in(profile: Profile) -> SignInRefused:
    """Nobody is signed in, as an error."""
    return SignInRefused(
        f"nobody is signed in with the profile '{profile.key}'",
        hint=f"Sign in: aws-iot login -k {profile.key}",
    )


def username_of(
    profile: Profile, given: str | None, kept: Kept | None = None, *, for_password: bool = False
) -> str:
    """The user that was named, or who is signed in, or the profile's.

    A password that comes without a name is the profile's user's before it is of who is signed in.
    """
    here = kept.session.username if kept else None
    username = given or (profile.username or here if for_password else here or profile.username)
    if not username:
        raise click.UsageError(
            f"Who are you? Give -u USER, set AWS_IOT_USER, or preset it: aws-iot config -u USER -k {profile.key}"
        )
    return username


def expected_username(app: App, profile: Profile, user: str | None, *, for_password: bool) -> str | None:
    """Who `signed_in` would sign in, as far as it is known beforehand."""
    kept = app.sessions.load(profile)
    known = user or profile.username or kept
    return username_of(profile, user, kept, for_password=for_password) if known else None


def password_of(
    app: App, profile: Profile, username: str, given: str | None, from_stdin: bool, *, ask: bool = True
) -> str:
    """The password of `username`: chosen, preset (which serves only the user it was preset with), or asked for.

    Without `ask`, raises `SignInRefused` where there is none.
    """
    secret = chosen_password(given, from_stdin) or _preset(app, profile, username)
    if not secret and not ask:
        raise SignInRefused(
            f"{username} is not signed in",
            hint=f"Sign in: aws-iot login -u {shlex.quote(username)} -k {profile.key}",
        )
    return secret or ask_password(app, username)


def chosen_password(given: str | None, from_stdin: bool) -> str | None:
    """The password that an option or variable gives, if any does."""
    if from_stdin:
        if is_typed("password"):
            raise click.UsageError("-p and --password-stdin exclude each other.")
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise click.UsageError("--password-stdin: standard input holds no password.")
    if given and any("\ud800" <= c <= "\udfff" for c in given):  # what Python makes of bytes that are no text
        raise click.UsageError("The password is not valid UTF-8.")
    return given


def ask_password(app: App, username: str, *, twice: bool = False) -> str:
    """Ask the person at the terminal, without echo; an error that says what else there is, if nobody is there."""
    need_terminal(app, "A password is needed", "use --password-stdin or set AWS_IOT_PASSWORD")
    return ask_secret(f"Password of {username}", twice=twice)


def _preset_if_it_can_be(app: App, profile: Profile, username: str, *, ask: bool) -> str | None:
    try:
        return _preset(app, profile, username)
    except LocalError as error:  # the keyring is locked
        if not (ask and app.has_terminal()):
            raise
        output.info(f"{error}.")
        return None


def _preset(app: App, profile: Profile, username: str) -> str | None:
    return app.secrets.get("password", profile.key, username)
