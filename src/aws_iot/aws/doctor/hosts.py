"""The hosts of a profile: the two Cognito services and the broker, and the route to each."""

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address, ca_bundle_of
from aws_iot.aws.iot.route import LARGEST_BODY, Route
from aws_iot.config.ca_bundle import find_ca_bundle
from aws_iot.config.endpoint import Endpoint
from aws_iot.config.profile import Profile
from aws_iot.deadline import in_seconds, within
from aws_iot.doctor.probes import CheckResult
from aws_iot.errors import AwsIotError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Host:
    """One host. `setting` is where its address is set. `optional`: it is not needed at the moment."""

    name: str
    route: Route
    setting: str
    optional: bool = False


class Hosts:
    """All hosts of a profile, in the order in which they are needed. `timeout` is in seconds, for each request."""

    def __init__(
        self,
        profile: Profile,
        user_pool: Service,
        identity_pool: Callable[[Address], Service],
        timeout: float,
        *,
        user_pool_optional: bool,
    ) -> None:
        self._profile = profile
        self._user_pool = user_pool
        self._identity_pool = identity_pool
        self._timeout = timeout
        self._user_pool_optional = user_pool_optional

    @cached_property
    def all(self) -> list[Host]:
        """All of them. Raises `LocalError` if the proxy of the environment is not usable."""
        profile = self._profile
        identity_pool = self._identity_pool(
            Address(
                "cognito-identity",
                profile.identity_pool_region,
                profile.cognito_identity_url,
                profile.ca_bundle,
            )
        )
        hosts = [
            Host(
                "the user pool",
                _route(self._user_pool),
                _setting(profile.cognito_idp_url, "aws_user_pools_id"),
                self._user_pool_optional,
            ),
            Host(
                "the identity pool",
                _route(identity_pool),
                _setting(profile.cognito_identity_url, "aws_cognito_identity_pool_id"),
            ),
            Host("the broker", self.broker, "aws_pubsub_endpoint"),
        ]
        return [replace(one, setting="HTTPS_PROXY") if one.route.proxy else one for one in hosts]

    @property
    def visible(self) -> list[Host]:
        """Those that the standard library can reach."""
        return [host for host in self.all if not host.route.is_hidden]

    @property
    def broker(self) -> Route:
        """The route to the broker."""
        return Route.to(self._profile.endpoint, find_ca_bundle(self._profile.ca_bundle))

    def check(
        self,
        hosts: Iterable[Host],
        check: Callable[[Host], str],
        same: Callable[[Host], Any] = lambda host: host.route,
    ) -> CheckResult:
        """Check each host; those for which `same` returns equal values only once.

        Raises the first problem of a host that is needed. A problem of an optional host becomes advice.
        """
        results: dict[Any, str | AwsIotError] = {}
        for host in sorted(hosts, key=lambda host: host.optional):
            if same(host) not in results:
                try:
                    results[same(host)] = check(host)
                except AwsIotError as error:
                    if not host.optional:
                        raise
                    results[same(host)] = error
        problems = [
            f"The user pool is not needed while the session is valid, but later it is: {problem}."
            for problem in results.values()
            if isinstance(problem, AwsIotError)
        ]
        found = [one for one in results.values() if isinstance(one, str)]
        return CheckResult("; ".join(found) or "not needed now", "\n".join(problems))

    def get(
        self, route: Route, path: str, most: int = LARGEST_BODY
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send an unsigned request; the response and at most so many bytes of its body."""
        return self.within(str(route), lambda: route.get(path, self._timeout, most))

    def within(self, where: str, work: Callable[[], T]) -> T:
        """Do work that contacts a host. Raises `Unreachable` after the timeout."""
        return within(self._timeout, work, f"cannot reach {where}: no answer in {in_seconds(self._timeout)}")


def _route(service: Service) -> Route:
    url = urlsplit(service.client.meta.endpoint_url)
    tls = url.scheme == "https"
    endpoint = Endpoint(url.hostname or "", url.port or (443 if tls else 80), "/", tls)
    return Route.to(endpoint, ca_bundle_of(service.client) or get_cert_path(True))


def _setting(url: str | None, key: str) -> str:
    """Where the address of a Cognito service is set."""
    return "the endpoint_url_… keys of the exports" if url else f"{key} (or AWS_ENDPOINT_URL, if set)"
