"""Tokens: the session in a user pool's reply, and who issued a token."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aws_iot.auth.session import Device, RefreshToken, Session
from aws_iot.config.partitions import partition_of
from aws_iot.config.profile import Profile


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


def login_provider(id_token: str, profile: Profile) -> str:
    """The name of the user pool to the identity pool: the issuer of the token, without `https://`.

    Only the token has the domain in every partition. If it has no issuer that fits the profile's user pool, the name is
    made from the region. Pools with the newer issuer, `issuer-cognito-idp…`, keep their name. Not tried on AWS.
    """
    pool, region = profile.user_pool_id, profile.user_pool_region
    _, _, issuer = _issuer(id_token).partition("://")
    if issuer.endswith(f"/{pool}"):
        return issuer.removeprefix("issuer-")
    return f"cognito-idp.{region}.{partition_of(region).dns_suffix}/{pool}"


def _issuer(token: str) -> str:
    """The claim `iss`; empty if there is none. The token is not verified: the identity pool does that."""
    try:
        claims = token.split(".")[1]
        issuer = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"]
    except (LookupError, TypeError, ValueError, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""
