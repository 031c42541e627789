"""Where the engine answers otherwise than AWS, and this program would notice.

ministack 1.5.33 hands the value of a CloudFormation parameter on as text, also where a resource takes
a number (AWS converts it); and it names a host for the broker that leads nowhere on this machine.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import cognito, iot

NUMBERS = frozenset(
    {"MinimumLength", "AccessTokenValidity", "IdTokenValidity", "RefreshTokenValidity"}
    | {"TemporaryPasswordValidityDays"}
)
"""What the template fills in from parameters, and user pools take as numbers."""

CALLS = ("_create_user_pool", "_update_user_pool", "_create_user_pool_client", "_update_user_pool_client")


def enforce(broker: str) -> None:
    """Make the engine convert numbers, and name `broker` (`host:port`) as the account's endpoint."""
    for name in CALLS:
        setattr(cognito, name, _with_numbers(getattr(cognito, name)))
    iot._describe_endpoint = lambda _: json_response({"endpointAddress": broker})


def _with_numbers(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda request: call(_converted(request))


def _converted(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: int(held) if name in NUMBERS and isinstance(held, str) else _converted(held)
        for name, held in value.items()
    }
