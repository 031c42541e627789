"""AWS behavior: CloudFormation converts parameters to numbers for properties that are numbers.

ministack 1.5.33 passes their values on as text. This patch wraps the calls that create and update user pools and app
clients.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import cognito

NUMBERS = frozenset(
    {
        "MinimumLength",
        "AccessTokenValidity",
        "IdTokenValidity",
        "RefreshTokenValidity",
        "TemporaryPasswordValidityDays",
    }
)
"""The properties of user pools and app clients that are numbers, and that the template sets from parameters."""

CALLS = ("_create_user_pool", "_update_user_pool", "_create_user_pool_client", "_update_user_pool_client")


def apply() -> None:
    """Let the engine's user pools convert numbers."""
    for name in CALLS:
        setattr(cognito, name, _with_numbers(getattr(cognito, name)))


def _with_numbers(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda request: call(_convert(request))


def _convert(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: int(one) if name in NUMBERS and isinstance(one, str) else _convert(one)
        for name, one in value.items()
    }
