"""Faults that testers can ask for, because AWS causes them once a day, or only sometimes.

ministack 1.5.33 issues credentials for an hour; the private names that change this are used here.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from ministack.services import cognito, sts

Refusal = Literal["puback", "disconnect", "cut"]

REFUSED_PUBACK = 0x40, 0x87
"""The first byte of a PUBACK, and its fifth: the reason code "not authorized"."""

REFUSED_DISCONNECT = b"\xe0\x02\x87\x00"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of connections: closed after `link_seconds` (AWS: after a day), and how a publish is refused.

    AWS does not document which of the three refusals it uses.
    """

    link_seconds: float | None = None
    refusal: Refusal = "puback"


def shorten_credentials(seconds: float) -> None:
    """Let the engine's identity pools issue credentials that expire after this time."""
    issue = cognito._get_credentials_for_identity

    def issue_shortened(request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = issue(request)
        if status == 200:
            answer = json.loads(body)
            credentials = answer["Credentials"]
            session = sts._sessions[credentials["AccessKeyId"]]
            session["Expiration"] = credentials["Expiration"] = session["IssuedAt"] + seconds
            body = json.dumps(answer).encode()
        return status, headers, body

    cognito._get_credentials_for_identity = issue_shortened


class FaultyConnection:
    """One WebSocket to the broker, as the engine sees it, with the faults that were asked for."""

    def __init__(self, faults: Faults, receive: Receive, send: Send) -> None:
        self._refusal = faults.refusal
        self._seconds = faults.link_seconds
        self._began = asyncio.get_running_loop().time()
        self._receive = receive
        self._send = send

    async def receive(self) -> dict[str, Any]:
        """What the client sends, or a disconnect once the time is over."""
        if self._seconds is None:
            return await self._receive()
        left = self._began + self._seconds - asyncio.get_running_loop().time()
        try:
            return await asyncio.wait_for(self._receive(), max(0, left))
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, event: dict[str, Any]) -> None:
        """Pass on what the engine sends, with refusals in the form that was asked for."""
        data = event.get("bytes") or b""
        if self._refusal == "puback" or (data[:1] + data[4:5]) != bytes(REFUSED_PUBACK):
            await self._send(event)
            return
        if self._refusal == "disconnect":
            await self._send({"type": "websocket.send", "bytes": REFUSED_DISCONNECT})
        raise ConnectionError("refused")  # the engine then closes the connection
