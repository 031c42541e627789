"""Signing out: delete the saved session, then revoke its tokens."""

from collections.abc import Callable
from datetime import datetime

from aws_iot.auth.accounts import Accounts
from aws_iot.auth.session import RefreshToken, Session
from aws_iot.auth.session_store import SessionStore
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError, SessionEnded, SignInRefused


def sign_out(
    profile: Profile,
    store: SessionStore,
    accounts: Callable[[], Accounts],
    now: Callable[[], datetime],
    *,
    everywhere: bool,
) -> bool:
    """Delete the saved session and revoke it; with `everywhere` all sessions of its user. Tells whether there was one.

    Raises `Unreachable`, `ServiceRefused` or `SignInRefused` if the session is deleted, but could not be revoked.
    Raises `LocalError` if the refresh token is in a keyring that cannot be used; signing out again continues there.
    """
    session, token, locked = None, None, None
    try:
        if saved := store.load(profile):
            session, token = saved.session, store.refresh_token(profile, saved.username)
        else:
            token = store.orphaned_refresh_token(profile.key)
    except LocalError as error:
        locked = error
    was_signed_in = store.remove(profile.key)
    if locked:
        raise locked
    if everywhere and (session or token):
        revoke_everywhere(accounts(), session, token, now())
    elif token:
        accounts().revoke(token)
    return was_signed_in or token is not None


def revoke_everywhere(
    accounts: Accounts, session: Session | None, token: RefreshToken | None, now: datetime
) -> None:
    """Revoke every session of the user, then the refresh token. Raises `SessionEnded` if this session cannot."""
    try:
        if session is None or session.expires <= now:
            session = _refresh(accounts, token)
        token = session.refresh_token or token
        try:
            accounts.of(session).sign_out_everywhere()
        except SessionEnded:  # by a clock that differs from ours, or because the tokens were revoked
            session = _refresh(accounts, token)
            token = session.refresh_token or token
            accounts.of(session).sign_out_everywhere()
    except SignInRefused as error:
        raise SessionEnded(f"this session has expired and cannot revoke the others: {error}") from error
    finally:
        if token:
            accounts.revoke(token)


def _refresh(accounts: Accounts, token: RefreshToken | None) -> Session:
    if token is None:
        raise SignInRefused("it has no refresh token", hint="Sign in again.")
    return accounts.refresh(token)
