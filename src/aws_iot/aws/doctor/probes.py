"""`AwsProbes`: the probes of doctor for Cognito and AWS IoT Core."""

import http.client
import ipaddress
import os
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.network_errors import clock_fault, time_of
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.user_pool import UserPool
from aws_iot.aws.doctor.hosts import Host, Hosts
from aws_iot.aws.doctor.upgrade import Upgrade
from aws_iot.aws.iot.route import Route
from aws_iot.config.profile import Profile
from aws_iot.doctor.probes import CheckResult
from aws_iot.errors import LocalError, ProfileError, SignInRefused, Unreachable

CLOCK_WARNING = timedelta(minutes=1)
"""A clock that is further off than this is worth a warning: AWS accepts a signature for a few minutes only."""

EXPIRY_WARNING = timedelta(days=14)
"""A certificate that expires sooner than this is worth a warning."""

TEST_USER = "aws-iot-doctor"
"""The user for whom a sign-in is begun, and not finished, if no user name is known."""


class AwsProbes:
    """`Probes` for a profile. `timeout` is in seconds, for each request to each service.

    With a `live_session` the user pool is not needed now, so a problem with it is advice, not a failure.
    """

    def __init__(
        self,
        profile: Profile,
        now: Callable[[], datetime],
        timeout: float,
        client_secret: str | None,
        *,
        live_session: bool = False,
    ) -> None:
        self._profile = profile
        self._now = now
        self._timeout = timeout
        self._user_pool = UserPool(profile, now, timeout, client_secret)
        self._hosts = Hosts(
            profile,
            self._user_pool.service,
            lambda address: Service.unsigned(address, now, timeout),
            timeout,
            user_pool_optional=live_session,
        )

    def names(self) -> CheckResult:
        try:
            hosts = self._hosts.all
        except LocalError:
            return CheckResult("not checked, because the proxy is not usable")
        unknown: list[Host] = []

        def resolve(host: Host) -> str:
            name, _ = host.route.first
            if _is_address(name):
                return f"{name} is an address"
            try:
                return f"{name} is {self._hosts.within(name, partial(_address, name))}"
            except (OSError, UnicodeError) as error:  # UnicodeError: not a host name at all
                unknown.append(host)
                raise Unreachable(f"the host name {name} does not resolve") from error

        try:
            return self._hosts.check(hosts, resolve, lambda host: host.route.first[0])
        except Unreachable as error:
            if error.hint is None:
                settings = ", ".join(dict.fromkeys(host.setting for host in unknown))
                error.hint = f"Check the network. If other programs can use it, check {settings}."
            raise

    def proxies(self) -> CheckResult:
        behind = [host for host in self._hosts.all if host.route.proxy]
        if not behind:
            variable = next((name for name in os.environ if name.lower() == "https_proxy"), None)
            unused = f"{variable} is set, but not used for these hosts (NO_PROXY, or 127.0.0.1)"
            return CheckResult(unused if variable else "none (HTTPS_PROXY is not set)")
        proxy = ":".join(map(str, behind[0].route.first))
        if behind[0].route.is_hidden:
            return CheckResult(f"{proxy}, over TLS: hosts behind it are not checked before 'sign-in'")

        def connect(host: Host) -> str:
            route = host.route
            self._hosts.within(str(route), partial(route.connect, self._timeout, secured=False)).close()
            return host.name

        result = self._hosts.check(behind, connect)
        return CheckResult(f"{proxy} connects to: {result.text}", result.advice)

    def certificates(self) -> CheckResult:
        expiring: list[str] = []

        def inspect(host: Host) -> str:
            endpoint = host.route.endpoint
            connection = self._hosts.within(str(host.route), partial(host.route.connect, self._timeout))
            try:
                if not isinstance(connection.sock, ssl.SSLSocket):
                    return f"{endpoint.host}:{endpoint.port} without TLS"
                certificate = _Certificate.of(connection.sock)
                if certificate.expires - self._now() < EXPIRY_WARNING:
                    expiring.append(
                        f"The certificate of {endpoint.host} expires on {certificate.expires:%F}."
                    )
                return f"{endpoint.host} {connection.sock.version()}, certificate by {certificate.issuer}"
            finally:
                connection.close()

        result = self._hosts.check(self._hosts.visible, inspect)
        return CheckResult(result.text, "\n".join(filter(None, [result.advice, *expiring])))

    def clock(self) -> CheckResult:
        advice: list[str] = []

        def compare(host: Host) -> str:
            name, headers = host.route.endpoint.host, self._hosts.get(host.route, "/", most=0)[0].headers
            theirs = time_of(headers.get("date"))
            if theirs is None:
                return f"{name} sends no date"
            if fault := clock_fault(headers.get("date"), self._now()):
                raise fault
            # The service sends whole seconds, and some pass before they arrive here.
            seconds = int(abs(self._now() - theirs).total_seconds())
            if seconds > CLOCK_WARNING.total_seconds():
                advice.append("Set the clock: AWS rejects what is signed with a wrong time.")
            return f"{seconds} s off from {name}" if seconds > 1 else f"agrees with {name}"

        needed = [host for host in self._hosts.visible if not host.optional]
        result = self._hosts.check(needed[:1], compare)
        return CheckResult(result.text, "\n".join(advice))

    def user_pool(self, username: str | None) -> CheckResult:
        user_pool = self._hosts.all[0]
        return self._hosts.check(
            [user_pool], lambda host: self._begin_sign_in(host.route, username or TEST_USER)
        )

    def upgrade(self, credentials: Credentials) -> CheckResult:
        return Upgrade(self._profile, self._hosts, credentials, self._now, self._timeout).check()

    def _begin_sign_in(self, route: Route, username: str) -> str:
        """Begin a sign-in, up to the user pool's challenge."""
        pool, profile = self._user_pool, self._profile
        if not route.is_hidden:
            self._check_public_keys(route)
        secret_hash = pool.secret_hash(username)
        parameters = {"USERNAME": username, "SRP_A": secrets.token_hex(384)}
        with suppress(SignInRefused):  # whether this person can sign in is the next check
            pool.call(
                username,
                "initiate_auth",
                _ABOUT_THE_PERSON,
                AuthFlow="USER_SRP_AUTH",
                ClientId=profile.client_id,
                AuthParameters=parameters | ({"SECRET_HASH": secret_hash} if secret_hash else {}),
            )
        return f"{profile.user_pool_id} accepts SRP sign-ins through app client {profile.client_id}"

    def _check_public_keys(self, route: Route) -> None:
        """Raise `ProfileError` if the user pool does not publish the keys that verify its tokens.

        "Verifying JSON web tokens" in the Cognito developer guide. AWS's answer for a pool that does not exist could
        not be tried; it is one of these two.
        """
        profile = self._profile
        response, _ = self._hosts.get(route, f"/{profile.user_pool_id}/.well-known/jwks.json")
        if response.status in (http.client.BAD_REQUEST, http.client.NOT_FOUND):
            raise ProfileError(
                f"there is no user pool {profile.user_pool_id} in {profile.user_pool_region}"
                f" (HTTP {response.status})",
                hint=f"Check aws_user_pools_id in the profile: aws-iot config show -k {profile.key}",
            )


@dataclass(frozen=True, slots=True)
class _Certificate:
    issuer: str
    expires: datetime

    @classmethod
    def of(cls, connection: ssl.SSLSocket) -> "_Certificate":
        """The certificate of the other end, which was verified."""
        found: Any = connection.getpeercert()
        issuer = {name: value for parts in found["issuer"] for name, value in parts}
        expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
        return cls(issuer.get("organizationName") or issuer.get("commonName") or "an unknown issuer", expires)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(host: str) -> str:
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


_ABOUT_THE_PERSON: Refusals = dict.fromkeys(
    ("UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"),
    SignInRefused,
)
"""How the Lambda functions of a user pool react to a sign-in depends on the person."""
