"""AWS behavior: clients may also speak MQTT 3.1, as the npm tool does. They get what MQTT 3.1.1 gives.

They may have longer client IDs than the 23 characters of MQTT 3.1; those of the npm tool have 56.

ministack 1.5.33 rejects them. This patch wraps `iot._WSSession._dispatch_packet`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import iot

MQTT_31 = b"\x00\x06MQIsdp\x03"
MQTT_311 = b"\x00\x04MQTT\x04"
"""How a CONNECT begins: the name and the level of the protocol."""


def apply() -> None:
    """Let the engine's broker accept MQTT 3.1."""
    iot._WSSession._dispatch_packet = _translated(iot._WSSession._dispatch_packet)


def _translated(
    dispatch: Callable[[Any, int, int, bytes], Awaitable[bool]],
) -> Callable[[Any, int, int, bytes], Awaitable[bool]]:
    async def translate_and_dispatch(session: Any, kind: int, flags: int, body: bytes) -> bool:
        if kind == iot.PKT_CONNECT and body.startswith(MQTT_31):
            body = MQTT_311 + body.removeprefix(MQTT_31)
        return await dispatch(session, kind, flags, body)

    return translate_and_dispatch
