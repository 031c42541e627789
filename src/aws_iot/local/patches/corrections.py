"""Where the engine answers otherwise than AWS, and this program would notice.

ministack 1.5.33 hands the value of a CloudFormation parameter on as text, also where a resource takes
a number (AWS converts it); it names a host for the broker that leads nowhere on this machine; who subscribes
to a filter once more, such as in a session that was kept, gets each message once more, where MQTT replaces the
subscription (5.0, [MQTT-3.8.4-3]); and who comes back to a session gets what was not acknowledged half a
minute later, behind what is new, where MQTT delivers it at once (5.0, section 4.4).
"""

import math
from collections.abc import Awaitable, Callable
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
    """Make the engine convert numbers, keep to MQTT in sessions, and name `broker` (`host:port`) as its endpoint."""
    for name in CALLS:
        setattr(cognito, name, _with_numbers(getattr(cognito, name)))
    iot.broker_subscribe = _replacing(iot.broker_subscribe)
    iot._WSSession._preserve_session = _due_at_once(iot._WSSession._preserve_session)
    iot._describe_endpoint = lambda _: json_response({"endpointAddress": broker})


def _replacing(subscribe: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def replace(account: str, region: str, topic_filter: str, *others: Any, **options: Any) -> str:
        number = await subscribe(account, region, topic_filter, *others, **options)
        held = iot._subscriptions[iot._scoped_topic(account, region, topic_filter)]
        client = options.get("client_id")
        for one in [one for one in held if client and one.client_id == client]:
            if one.subscription_id != number:
                held.discard(one)
        return number

    return replace


def _due_at_once(preserve: Callable[[Any], None]) -> Callable[[Any], None]:
    def preserve_due(session: Any) -> None:
        for message in session._in_flight.values():
            message.sent_at = -math.inf
        preserve(session)

    return preserve_due


def _with_numbers(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda request: call(_converted(request))


def _converted(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: int(held) if name in NUMBERS and isinstance(held, str) else _converted(held)
        for name, held in value.items()
    }
