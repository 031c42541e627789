"""Tokens: the session in a user pool's reply."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aws_iot.auth.session import Device, RefreshToken, Session


def session_from(
    reply: dict[str, Any],
    username: str,
    now: Callable[[], datetime],
    *,
    device: Device | None,
    refresh_token: RefreshToken | None = None,
) -> Session:
    """The session in the `AuthenticationResult` of `reply`. `refresh_token` is the one that got it.

    A refresh gives a new refresh token only if the app client rotates them.
    """
    tokens = reply["AuthenticationResult"]
    if "RefreshToken" in tokens:
        refresh_token = RefreshToken(username, tokens["RefreshToken"], device)
    return Session(
        username=username,
        id_token=tokens["IdToken"],
        access_token=tokens["AccessToken"],
        refresh_token=refresh_token,
        expires=now() + timedelta(seconds=tokens["ExpiresIn"]),
    )
