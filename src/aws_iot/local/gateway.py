"""The local stack's front door: what may come in, and what AWS IoT Core asks of a WebSocket.

Behind it is an engine that runs code for whoever asks (Lambda is among its services) and answers
every web page (its replies say `Access-Control-Allow-Origin: *`). So only the services that this
program needs are let through, only to programs on this machine, never to a browser.
"""

import json
import re
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

from ministack.app import app as engine
from ministack.core.responses import request_scope
from ministack.services import iot

from aws_iot.local.faults import Faults, Link, Receive, Send

GATEWAY_SERVICE = "iotdevicegateway"
UNSIGNED_TARGETS = ("AWSCognitoIdentityProviderService.", "AWSCognitoIdentityService.")
SIGNED_SERVICES = frozenset({"cognito-idp", "cognito-identity", "cloudformation", "iam", "iot", "sts"})

CONNECTIONS = "/connections/"
"""Where the data plane of AWS IoT Core tells of connections: the engine does not."""

SIGNED_BY = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/[^/]+/([^/]+)/")
PUBLIC_KEYS = re.compile(r"/[\w-]+/\.well-known/jwks\.json")
"""Those of a user pool, by which others verify its tokens."""
REAL_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{16}")

Scope = dict[str, Any]


class Gateway:
    """An ASGI application: MQTT over WebSockets at `/mqtt`, the other services over HTTP.

    The engine tells services apart by host names such as `*.iot.<region>.*`, which 127.0.0.1 is not;
    and it lets an unsigned WebSocket in.
    """

    def __init__(
        self,
        account: str,
        region: str,
        root_key: str,
        faults: Faults,
        save: Callable[[], None] | None,
    ) -> None:
        """`root_key` is the only key id of the account's root user that is let in.

        `save` is called before each answer of the services over HTTP leaves.
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
        elif not _is_from_here(headers := _headers(scope)):
            await _forbid(kind, receive, send)
        elif kind == "http" and self._is_served(scope["method"], scope["path"], headers):
            await engine(scope, receive, _after(self._save, send) if self._save else send)
        elif kind == "http" and scope["path"].startswith(CONNECTIONS):
            await _answer(kind, 405, "MethodNotAllowedException", receive, send)
        elif kind == "websocket" and scope["path"] == "/mqtt" and self._is_signed_for_us(scope):
            link = Link(self._faults, receive, _dated(send))
            with request_scope(self._account, self._region):
                await iot.handle_websocket(scope, link.receive, link.send, self._account, self._region)
        else:
            await _forbid(kind, receive, send)

    def _is_signed_for_us(self, scope: Scope) -> bool:
        """The engine verifies the signature itself, but not for which service and region it was made."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        credential = query.get("X-Amz-Credential", [""])[0].split("/")
        return bool(credential[2:] == [self._region, GATEWAY_SERVICE, "aws4_request"])

    def _is_served(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request is for a service that this program needs, by its target or who signed it.

        The engine has other key ids for its root user, known to all, and asks those for no signature.
        """
        authorization = headers.get("authorization", "")
        if not authorization:
            unsigned_call = path == "/" and headers.get("x-amz-target", "").startswith(UNSIGNED_TARGETS)
            return unsigned_call or (method == "GET" and PUBLIC_KEYS.fullmatch(path) is not None)
        signed = SIGNED_BY.match(authorization)
        known = signed is not None and (
            signed[1] == self._root_key or REAL_KEY_ID.fullmatch(signed[1]) is not None
        )
        return signed is not None and known and signed[2] in SIGNED_SERVICES and not path.startswith("/_")


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _is_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a program on this machine asks: browsers send `Origin`, or a host name that was bent to us."""
    host = re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", headers.get("host", ""))
    return host is not None and "origin" not in headers


async def _lifespan(receive: Receive, send: Send) -> None:
    # Not the engine's own: that one looks for containers to remove and for scripts to run.
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _after(save: Callable[[], None], send: Send) -> Send:
    async def send_saved(event: dict[str, Any]) -> None:
        if event["type"].endswith("response.start"):
            save()
        await send(event)

    return send_saved


def _dated(send: Send) -> Send:
    """Tell the time with a refusal, as AWS does: a client whose clock is wrong can see it there."""

    async def send_dated(event: dict[str, Any]) -> None:
        if event["type"].endswith("response.start"):
            event = event | {"headers": [*event["headers"], (b"date", formatdate(usegmt=True).encode())]}
        await send(event)

    return send_dated


async def _forbid(kind: str, receive: Receive, send: Send) -> None:
    await _answer(kind, 403, "ForbiddenException", receive, send)


async def _answer(kind: str, status: int, error: str, receive: Receive, send: Send) -> None:
    answer = "websocket.http.response" if kind == "websocket" else "http.response"
    body = json.dumps({"message": "Forbidden" if status == 403 else "no such call"}).encode()
    headers = [(b"content-type", b"application/json"), (b"x-amzn-errortype", f"{error}:".encode())]
    await receive()
    await _dated(send)({"type": f"{answer}.start", "status": status, "headers": headers})
    await send({"type": f"{answer}.body", "body": body})
