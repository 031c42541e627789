"""AWS behavior: a payload of 128 KB may be sent, because a whole packet may have 146 KB.

See "Message size" and "MQTT5 maximum packet size" at docs.aws.amazon.com/general/latest/gr/iot-core.html

ministack 1.5.33 announces 128 KB for the whole packet, so clients refuse to send the largest payloads. This patch wraps
`iot._WSSession._connack_properties`.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import iot

MAX_PACKET_BYTES = 146 * 1024


def apply() -> None:
    """Let the engine's broker announce the packets that AWS accepts."""
    iot._WSSession._connack_properties = _announcing(iot._WSSession._connack_properties)


def _announcing(
    properties: Callable[..., list[tuple[int, object]]],
) -> Callable[..., list[tuple[int, object]]]:
    def announce(*args: Any) -> list[tuple[int, object]]:
        size = iot.PROP_MAXIMUM_PACKET_SIZE
        return [(key, MAX_PACKET_BYTES if key == size else value) for key, value in properties(*args)]

    return announce
