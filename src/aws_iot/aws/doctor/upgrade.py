"""The signed WebSocket upgrade: whether the broker accepts it, or would accept another region or path."""

import base64
import http.client
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from awscrt.http import HttpHeaders, HttpRequest

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.doctor.hosts import Hosts
from aws_iot.aws.iot.diagnosis import upgrade_refused
from aws_iot.aws.iot.route import LARGEST_BODY, Route
from aws_iot.aws.iot.signing import sign
from aws_iot.config.endpoint import PATH
from aws_iot.config.profile import Profile
from aws_iot.doctor.probes import CheckResult
from aws_iot.doctor.redaction import redact, secrets_of
from aws_iot.errors import AwsIotError, CredentialsRefused, ProfileError

MAX_SHOWN = 300
"""Characters of a body, or of a header, that are shown."""

SHOWN_HEADERS = ("x-amzn-errortype", "x-amzn-requestid")


class Upgrade:
    """Tries the upgrade with one set of credentials. `timeout` is in seconds, for each attempt."""

    def __init__(
        self,
        profile: Profile,
        hosts: Hosts,
        credentials: Credentials,
        now: Callable[[], datetime],
        timeout: float,
    ) -> None:
        self._profile = profile
        self._hosts = hosts
        self._credentials = credentials
        self._now = now
        self._timeout = timeout

    def check(self) -> CheckResult:
        """Raises an error that names the setting to change, or else one with the broker's own answer."""
        route, region = self._hosts.broker, self._profile.iot_region
        if route.is_hidden:
            return CheckResult("not checked")
        response, body = self._try(route, region)
        refused = upgrade_refused(route, response, self._now())
        if refused is None:
            return CheckResult(f"HTTP {response.status}, signed for {region}")
        if isinstance(refused, CredentialsRefused):
            self._check_other_region(route, region)
            self._check_usual_path(route, region)
        raise _with_answer(refused, response, redact(body, secrets_of(self._credentials)))

    def _check_other_region(self, route: Route, region: str) -> None:
        named = (self._profile.identity_pool_region, self._profile.user_pool_region)
        for other in dict.fromkeys(one for one in named if one != region):
            if self._opens(route, other):
                raise ProfileError(
                    f"{route} rejects signatures for {region}, but accepts those for {other}",
                    hint=self._how_to_set("aws_pubsub_region", other),
                )

    def _check_usual_path(self, route: Route, region: str) -> None:
        usual = replace(route, endpoint=route.endpoint._replace(path=PATH))
        if usual != route and self._opens(usual, region):
            raise ProfileError(
                f"{route} rejects the path {route.endpoint.path}, but accepts {PATH}",
                hint=self._how_to_set("aws_pubsub_endpoint", str(usual.endpoint)),
            )

    def _how_to_set(self, setting: str, value: str) -> str:
        command = f"aws-iot config -s FILE -k {self._profile.key}"
        return f"Set {setting} to {value} in the exports file, then read it again: {command}"

    def _opens(self, route: Route, region: str) -> bool:
        return self._try(route, region)[0].status == http.client.SWITCHING_PROTOCOLS

    def _try(self, route: Route, region: str) -> tuple[http.client.HTTPResponse, str]:
        """The response to an upgrade that is signed for a region, and the body of a refusal."""
        signed = sign(_request(route), route.endpoint.path, self._credentials, region, self._now())

        def ask() -> tuple[http.client.HTTPResponse, str]:
            connection = route.connect(self._timeout)
            try:
                response = route.upgrade(connection, signed)
                if response.status == http.client.SWITCHING_PROTOCOLS:
                    return response, ""
                return response, response.read(LARGEST_BODY).decode(errors="backslashreplace")
            finally:
                connection.close()

        return self._hosts.within(str(route), ask)


def _request(route: Route) -> HttpRequest:
    headers = [
        ("Host", route.endpoint.host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", base64.b64encode(secrets.token_bytes(16)).decode()),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "mqtt"),
    ]
    return HttpRequest("GET", route.endpoint.path, HttpHeaders(headers))


def _with_answer(refused: AwsIotError, response: http.client.HTTPResponse, body: str) -> AwsIotError:
    """The refusal with the service's own answer, which awscrt hides."""
    parts = [body.strip()]
    parts += [f"{name}: {response.headers[name]}" for name in SHOWN_HEADERS if name in response.headers]
    answer = "; ".join(part[:MAX_SHOWN] for part in parts if part)
    return type(refused)(f"{refused}: {answer}" if answer else str(refused), hint=refused.hint)
