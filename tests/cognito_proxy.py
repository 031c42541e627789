"""A proxy before the local stack that adds what its engine lacks of Cognito: a handler sees every call."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from pycognito.aws_srp import G_HEX, N_HEX, calculate_u, compute_hkdf, hex_hash, long_to_hex, pad_hex

from tests.serving import serving
from tests.waiting import DEADLINE_SECONDS

POLL_SECONDS = 0.01

Reply = tuple[int, dict[str, Any]]
Forward = Callable[[str, dict[str, Any]], Reply]
Handler = Callable[[str, dict[str, Any], Forward], Reply | None]

CUT = None
"""A handler returns this to close the connection without an answer."""


@contextmanager
def cognito_proxy(
    url: str,
    handle: Handler,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    dated: Callable[[datetime], str] = format_datetime,
) -> Iterator[str]:
    """Another address for the services at `url`.

    `handle` answers each call. It gets the operation, the request, and a function that forwards a request to the
    services. `now` is the time of the proxy, and `dated` formats it for the `Date` header.
    """
    there = urlsplit(url).netloc

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # an answer in one piece, which no delayed acknowledgement holds up

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service, _, operation = self.headers["X-Amz-Target"].partition(".")

            def forward(operation: str, said: dict[str, Any]) -> Reply:
                link = HTTPConnection(there, timeout=DEADLINE_SECONDS)
                headers = {name: value for name, value in self.headers.items() if name != "Content-Length"}
                headers["X-Amz-Target"] = f"{service}.{operation}"
                link.request("POST", self.path, json.dumps(said), headers)
                answer = link.getresponse()
                told = json.loads(answer.read() or b"{}")
                link.close()
                return answer.status, told

            answer = handle(operation, said, forward)
            if answer is CUT:
                self.close_connection = True
                return
            status, told = answer
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return dated(now())

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Server)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def refused(code: str, message: str) -> Reply:
    """An error response of Cognito."""
    return 400, {"__type": code, "message": message}


class AppRequired:
    """Requires an authenticator app: without one, a sign-in gets the challenge MFA_SETUP."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[str, Any]] = {}
        self.verified: set[str] = set()

    def __call__(self, operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        if said.get("ChallengeName") == "MFA_SETUP":
            if said["Session"] not in self.verified:
                return refused("NotAuthorizedException", "Invalid session for the user.")
            return 200, self.waiting.pop(said["ChallengeResponses"]["USERNAME"])
        status, told = forward(operation, said)
        if operation == "VerifySoftwareToken" and status == 200:
            self.verified.add(told["Session"])
        if operation == "RespondToAuthChallenge" and status == 200 and "AuthenticationResult" in told:
            username = said["ChallengeResponses"]["USERNAME"]
            self.waiting[username] = told
            return 200, {
                "ChallengeName": "MFA_SETUP",
                "Session": "a-session-of-twenty-letters",
                "ChallengeParameters": {
                    "MFAS_CAN_SETUP": '["SMS_MFA","SOFTWARE_TOKEN_MFA"]',
                    "USER_ID_FOR_SRP": username,
                },
            }
        return status, told


class Rotation:
    """Rotates refresh tokens: each can be used once, and a refresh returns the next."""

    def __init__(self) -> None:
        self.real: dict[str, str] = {}

    def __call__(self, operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        if operation == "GetTokensFromRefreshToken":
            token = self.real.pop(said["RefreshToken"], None)
            if token is None:
                return refused(
                    "RefreshTokenReuseException", "Refresh token has been invalidated by rotation."
                )
            said = {**said, "RefreshToken": token}
        status, told = forward(operation, said)
        tokens = told.get("AuthenticationResult")
        if tokens:
            name = f"rotating-{secrets.token_hex(8)}"
            self.real[name] = tokens.get("RefreshToken") or said["RefreshToken"]
            tokens["RefreshToken"] = name
        return status, told


class Devices:
    """A user pool that remembers devices. A remembered device proves itself by SRP instead of a second factor.

    docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-device-tracking.html
    """

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.remembered: set[str] = set()
        self.proved: list[str] = []
        self._waiting: dict[str, Any] = {}

    def __call__(self, operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        responses = said.get("ChallengeResponses", {})
        if operation == "InitiateAuth":
            return self._start(said, forward)
        if operation == "ConfirmDevice":
            self.known[said["DeviceKey"]] = said["DeviceSecretVerifierConfig"]
            return 200, {"UserConfirmationNecessary": True}
        if operation == "UpdateDeviceStatus":
            self.remembered.add(said["DeviceKey"])
            return 200, {}
        if operation == "GetTokensFromRefreshToken" and said.get("DeviceKey") not in self.known:
            return refused("NotAuthorizedException", "Invalid Refresh Token.")
        if said.get("ChallengeName") == "DEVICE_SRP_AUTH":
            return self._challenge(responses)
        if said.get("ChallengeName") == "DEVICE_PASSWORD_VERIFIER":
            return self._verify(responses)
        status, told = forward(operation, said)
        if operation != "RespondToAuthChallenge" or "AuthenticationResult" not in told:
            return status, told
        if device := responses.get("DEVICE_KEY"):
            self._waiting[device] = told
            return 200, {"ChallengeName": "DEVICE_SRP_AUTH", "ChallengeParameters": {}}
        told["AuthenticationResult"]["NewDeviceMetadata"] = {
            "DeviceKey": f"us-east-1_{secrets.token_hex(16)}",
            "DeviceGroupKey": "-groupkey",
        }
        return status, told

    def _start(self, said: dict[str, Any], forward: Forward) -> Reply:
        device = said["AuthParameters"].get("DEVICE_KEY")
        if device and device not in self.known:
            return refused("ResourceNotFoundException", "Device does not exist.")
        return forward("InitiateAuth", said)

    def _challenge(self, responses: dict[str, str]) -> Reply:
        device = responses["DEVICE_KEY"]
        big_n, g = int(N_HEX, 16), int(G_HEX, 16)
        k = int(hex_hash("00" + N_HEX + "0" + G_HEX), 16)
        verifier = int(base64.b64decode(self.known[device]["PasswordVerifier"]).hex(), 16)
        b = secrets.randbelow(big_n)
        big_b = (k * verifier + pow(g, b, big_n)) % big_n
        big_a = int(responses["SRP_A"], 16)
        u = calculate_u(big_a, big_b)
        shared = pow(big_a * pow(verifier, u, big_n), b, big_n)
        key = compute_hkdf(bytes.fromhex(pad_hex(shared)), bytes.fromhex(pad_hex(long_to_hex(u))))
        block = secrets.token_bytes(32)
        self._waiting[f"{device} proof"] = (key, block)
        return 200, {
            "ChallengeName": "DEVICE_PASSWORD_VERIFIER",
            "ChallengeParameters": {
                "SALT": base64.b64decode(self.known[device]["Salt"]).hex(),
                "SRP_B": long_to_hex(big_b),
                "SECRET_BLOCK": base64.b64encode(block).decode(),
                "DEVICE_KEY": device,
                "USERNAME": responses["USERNAME"],
            },
        }

    def _verify(self, responses: dict[str, str]) -> Reply:
        device = responses["DEVICE_KEY"]
        key, block = self._waiting.pop(f"{device} proof")
        signed = f"-groupkey{device}".encode() + block + responses["TIMESTAMP"].encode()
        proof = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if not hmac.compare_digest(proof, responses["PASSWORD_CLAIM_SIGNATURE"]):
            return refused("NotAuthorizedException", "Incorrect username or password.")
        self.proved.append(device)
        return 200, self._waiting.pop(device)
