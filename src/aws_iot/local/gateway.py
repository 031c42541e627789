"""The gateway of the local stack: which requests reach the engine.

The engine also serves Lambda, so it runs code for any caller, and it answers every web page (its responses have
`Access-Control-Allow-Origin: *`). So the gateway passes on only requests for the services that this program needs,
from programs on this machine, and none from a browser.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from ministack.app import app as engine
from ministack.core.responses import request_scope
from ministack.services import iot

from aws_iot.local import signatures
from aws_iot.local.faults import Faults, FaultyConnection, Receive, Send
from aws_iot.local.patches.broker.outbox import ENDED

UNSIGNED_TARGETS = tuple(signatures.OWNERS)
XML_SERVICES = ("cloudformation", "iam", "sts")
SIGNED_SERVICES = frozenset({"cognito-idp", "cognito-identity", "cloudformation", "iam", "iot", "sts"})

MISSING_CALLS = ("/connections/", "/test-authorization")
"""What the engine does not have of AWS IoT Core: managing connections, and TestAuthorization."""

PUBLIC_KEYS = re.compile(r"/[\w-]+/\.well-known/jwks\.json")
"""The path of a user pool's public keys, which verify its tokens."""

REAL_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")

Scope = dict[str, Any]


class Refusal(NamedTuple):
    """The answer to a request that is refused."""

    status: int
    error: str
    message: str


FORBIDDEN = Refusal(403, "ForbiddenException", "Forbidden")


class Gateway:
    """An ASGI application: MQTT over WebSocket at `/mqtt`, the other services over HTTP.

    The engine cannot do this alone: it selects the broker by host names such as `*.iot.<region>.*`, and accepts
    WebSockets without a signature.
    """

    def __init__(
        self,
        account: str,
        region: str,
        root_key: str,
        faults: Faults,
        save: Callable[[], None] | None,
    ) -> None:
        """`root_key` is the only key ID of the account's root user that is accepted.

        `save` is called before each HTTP response leaves.
        """
        self._account = account
        self._region = region
        self._root_key = root_key
        self._faults = faults
        self._save = save

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await _lifespan(receive, send)
        elif not _is_local(headers := _headers(scope), scope["server"][1]):
            await _refuse(scope, FORBIDDEN, receive, send)
        elif kind == "http" and scope["path"].startswith(MISSING_CALLS):
            await _refuse(
                scope, Refusal(405, "MethodNotAllowedException", "no such operation"), receive, send
            )
        elif kind == "http" and self._is_served(scope["method"], scope["path"], headers):
            if reason := signatures.wrong_scope(headers, self._region):
                await _refuse(scope, Refusal(403, "SignatureDoesNotMatch", reason), receive, send)
                return
            await engine(scope, receive, _saving_first(self._save, send) if self._save else send)
        elif kind == "websocket" and scope["path"] == "/mqtt" and self._is_signed_for_broker(scope):
            await self._serve_broker(scope, receive, send)
        else:
            await _refuse(scope, FORBIDDEN, receive, send)

    async def _serve_broker(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = FaultyConnection(self._faults, receive, _with_date(send))
        try:
            with request_scope(self._account, self._region):
                await iot.handle_websocket(
                    scope, connection.receive, connection.send, self._account, self._region
                )
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if error.args != (ENDED,) or task is None:
                raise
            task.uncancel()

    def _is_signed_for_broker(self, scope: Scope) -> bool:
        query = scope["query_string"].decode("latin-1")
        return signatures.opens_broker(query, self._region, datetime.now(UTC))

    def _is_served(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request is for a service that this program needs, judged by its target or its signature.

        The engine has well-known key IDs for its root user, and accepts them without a signature.
        """
        if not headers.get("authorization"):
            unsigned_call = path == "/" and headers.get("x-amz-target", "").startswith(UNSIGNED_TARGETS)
            return unsigned_call or (method == "GET" and PUBLIC_KEYS.fullmatch(path) is not None)
        if (signed := signatures.signed_for(headers)) is None or path.startswith("/_"):
            return False
        key_id, _, service = signed
        is_known = key_id == self._root_key or REAL_KEY_ID.fullmatch(key_id) is not None
        return is_known and service in SIGNED_SERVICES


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_local(headers: Mapping[str, str], port: int) -> bool:
    """Whether a program on this machine asks, and no web page, not even one of another server on this machine.

    A browser sends the `Origin` of the page, or another host name (DNS rebinding). paho-mqtt always sends an `Origin`,
    namely the address that it connects to. No page has that: nothing here serves any.
    """
    host = re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", headers.get("host", ""))
    origin = headers.get("origin")
    return host is not None and (
        origin is None or re.fullmatch(rf"https?://(127\.0\.0\.1|localhost):{port}", origin) is not None
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    # The engine's own startup looks for containers to remove, and for scripts to run.
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _saving_first(save: Callable[[], None], send: Send) -> Send:
    async def send_saved(event: dict[str, Any]) -> None:
        if event["type"].endswith("response.start"):
            save()
        await send(event)

    return send_saved


def _with_date(send: Send) -> Send:
    """Add a date to responses, as AWS does: a client with a wrong clock can see it there."""

    async def send_with_date(event: dict[str, Any]) -> None:
        if event["type"].endswith("response.start"):
            event = event | {"headers": [*event["headers"], (b"date", formatdate(usegmt=True).encode())]}
        await send(event)

    return send_with_date


async def _refuse(scope: Scope, refusal: Refusal, receive: Receive, send: Send) -> None:
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    signed = signatures.signed_for(_headers(scope))
    if signed and signed[2] in XML_SERVICES:
        error = f"<Code>{refusal.error}</Code><Message>{escape(refusal.message)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    else:
        body = json.dumps({"__type": refusal.error, "message": refusal.message})
    # boto3 reads the error in the body or in a header, depending on the service.
    headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", f"{refusal.error}:".encode())]
    await receive()
    await _with_date(send)({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body.encode()})
