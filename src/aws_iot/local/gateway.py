"""The local stack's front door: what AWS IoT Core asks of a WebSocket, before the engine sees it."""

import json
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from ministack.app import app as engine
from ministack.core.responses import request_scope
from ministack.services import iot

SERVICE = "iotdevicegateway"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gateway:
    """An ASGI application: MQTT over WebSockets at `/mqtt`, every other service over HTTP.

    The engine tells services apart by host names such as `*.iot.<region>.*`, which 127.0.0.1 is not;
    and it lets an unsigned WebSocket in.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await engine(scope, receive, send)
        elif scope["path"] == "/mqtt" and self._is_signed_for_us(scope):
            with request_scope(self._account, self._region):
                await iot.handle_websocket(scope, receive, _dated(send), self._account, self._region)
        else:
            await receive()
            await _forbid(_dated(send))

    def _is_signed_for_us(self, scope: Scope) -> bool:
        """The engine verifies the signature itself, but not for which service and region it was made."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        credential = query.get("X-Amz-Credential", [""])[0].split("/")
        return bool(credential[2:] == [self._region, SERVICE, "aws4_request"])


async def _lifespan(receive: Receive, send: Send) -> None:
    # Not the engine's own: that one looks for containers to remove and for scripts to run.
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _dated(send: Send) -> Send:
    """Tell the time with a refusal, as AWS does: a client whose clock is wrong can see it there."""

    async def send_dated(event: dict[str, Any]) -> None:
        if event["type"] == "websocket.http.response.start":
            event = event | {"headers": [*event["headers"], (b"date", formatdate(usegmt=True).encode())]}
        await send(event)

    return send_dated


async def _forbid(send: Send) -> None:
    body = json.dumps({"message": "Forbidden"}).encode()
    headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", b"ForbiddenException:")]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
