"""Faults: what a tester may ask of the local stack that AWS does once a day, or only sometimes.

ministack 1.5.33 issues credentials for an hour. What it keeps private and we use is in this module,
`memory`, `policy` and `aliases`; a test fails when it moves.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from ministack.services import cognito, sts

Refusal = Literal["puback", "disconnect", "cut"]

REFUSED_PUBACK = 0x40, 0x87
"""The first byte of a PUBACK, and its reason code "not authorized", the fifth."""
REFUSED_DISCONNECT = b"\xe0\x02\x87\x00"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Faults:
    """How a link ends: `link_seconds` after it began, if not at AWS's day; `refusal` is how a publication is refused.

    AWS's documents leave open which of the three it is.
    """

    link_seconds: float | None = None
    refusal: Refusal = "puback"


def shorten_credentials(seconds: float) -> None:
    """Make the engine's identity pools issue credentials that end so soon."""
    issue = cognito._get_credentials_for_identity

    def issue_briefly(request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = issue(request)
        if status == 200:
            answer = json.loads(body)
            keys = answer["Credentials"]
            session = sts._sessions[keys["AccessKeyId"]]
            session["Expiration"] = keys["Expiration"] = session["IssuedAt"] + seconds
            body = json.dumps(answer).encode()
        return status, headers, body

    cognito._get_credentials_for_identity = issue_briefly


class Link:
    """One WebSocket to the broker, as the engine has it, which ends as the faults say."""

    def __init__(self, faults: Faults, receive: Receive, send: Send) -> None:
        self._refusal = faults.refusal
        self._left = faults.link_seconds
        self._began = asyncio.get_running_loop().time()
        self._receive = receive
        self._send = send

    async def receive(self) -> dict[str, Any]:
        """What the client sends; that it has gone, once the time is over."""
        if self._left is None:
            return await self._receive()
        left = self._began + self._left - asyncio.get_running_loop().time()
        try:
            return await asyncio.wait_for(self._receive(), max(0, left))
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, event: dict[str, Any]) -> None:
        """Pass on what the engine sends, but a refusal in the shape that was asked for."""
        data = event.get("bytes") or b""
        if self._refusal == "puback" or (data[:1] + data[4:5]) != bytes(REFUSED_PUBACK):
            await self._send(event)
            return
        if self._refusal == "disconnect":
            await self._send({"type": "websocket.send", "bytes": REFUSED_DISCONNECT})
        raise ConnectionError("refused")  # upon which the engine closes the link
