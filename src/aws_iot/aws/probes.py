"""What `aws_iot.doctor` looks at, each thing by itself: names, proxies, certificates, clocks, pools, the upgrade."""

import base64
import http.client
import ipaddress
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from awscrt.http import HttpHeaders, HttpRequest
from botocore.httpsession import get_cert_path

from aws_iot.aws.clients import Address, Service
from aws_iot.aws.diagnosis import MOST_OF_A_BODY, Way, why_not
from aws_iot.aws.handshake import sign
from aws_iot.aws.troubles import clock_fault
from aws_iot.aws.user_pool import UserPool
from aws_iot.credentials import Credentials
from aws_iot.deadline import within
from aws_iot.doctor import Seen
from aws_iot.endpoint import Endpoint
from aws_iot.errors import AwsIotError, CredentialsRefused, ProfileError, SignInRefused, Unreachable
from aws_iot.profile import Profile

T = TypeVar("T")

NOTABLE = timedelta(minutes=1)
"""A clock that is off by so much is worth a word: a signature of it is taken for some minutes only."""

SOON = timedelta(days=14)
"""A certificate that ends within this time is worth one, too."""

NOBODY = "aws-iot-doctor"
"""Whose sign-in is begun, and left there, where it is not known who it will be."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A service and where it answers; `setting` is the key of the exports file that says so."""

    name: str
    way: Way
    setting: str


class CognitoAndIotCore:
    """`Services` of a profile. `timeout` is in seconds, for each question to each service."""

    def __init__(
        self, profile: Profile, now: Callable[[], datetime], timeout: float, client_secret: str | None
    ) -> None:
        self._profile = profile
        self._now = now
        self._timeout = timeout
        self._user_pool = UserPool(profile, now, timeout, client_secret)

    def names(self) -> Seen:
        hosts: dict[str, str] = {}
        for place in self._places:
            key = "HTTPS_PROXY" if place.way.proxy else place.setting
            hosts.setdefault(place.way.first[0], key)
        found, missing = [], []
        for host, key in hosts.items():
            if _is_address(host):
                found.append(f"{host} is an address")
                continue
            try:
                found.append(f"{host} is {self._within(host, partial(_address, host))}")
            except (OSError, UnicodeError):  # the latter by a name that is none
                missing.append((host, key))
        if missing:
            raise Unreachable(
                "there is no host of the name "
                + " or ".join(host for host, _ in missing)
                + (" (or no network)" if not found else f"; {'; '.join(found)}"),
                hint=f"Check {' and '.join(dict.fromkeys(key for _, key in missing))}, and the network.",
            )
        return Seen("; ".join(found))

    def proxies(self) -> Seen:
        behind = [place for place in self._places if place.way.proxy]
        if not behind:
            wanted = next((name for name in os.environ if name.lower() == "https_proxy"), None)
            unused = f"{wanted} is set, and not for these hosts (NO_PROXY, or this machine)" if wanted else ""
            return Seen(unused or "none is set (HTTPS_PROXY)")
        for way in _ways(behind):
            if way.is_hidden:
                return Seen(
                    f"{':'.join(map(str, way.first))}, by TLS",
                    f"What is behind {':'.join(map(str, way.first))} is not looked at: only awscrt and botocore can.",
                )
            self._within(str(way), partial(way.connect, self._timeout, secured=False)).close()
        first = ":".join(map(str, behind[0].way.first))
        return Seen(f"{first} lets through to {', '.join(place.name for place in behind)}")

    def certificates(self) -> Seen:
        seen, notes = [], []
        for way in _ways(self._places):
            if way.is_hidden:
                continue
            link = self._within(str(way), partial(way.connect, self._timeout))
            try:
                if isinstance(link.sock, ssl.SSLSocket):
                    certificate = _Certificate.of(link.sock)
                    seen.append(
                        f"{way.endpoint.host} {link.sock.version()}, certified by {certificate.issuer}"
                    )
                    if certificate.ends - self._now() < SOON:
                        notes.append(f"The certificate of {way.endpoint.host} ends on {certificate.ends:%F}.")
                else:
                    seen.append(f"{way.endpoint.host}:{way.endpoint.port} without TLS")
            finally:
                link.close()
        return Seen("; ".join(seen), " ".join(notes))

    def clock(self) -> Seen:
        way = self._places[0].way
        if way.is_hidden:
            return Seen("not looked at")
        answer, _ = self._get(way, "/")
        told = answer.headers.get("date")
        if fault := clock_fault(told, self._now()):
            raise fault
        if not told:
            return Seen(f"{way.endpoint.host} does not tell the time")
        apart = abs(self._now() - parsedate_to_datetime(told).replace(tzinfo=UTC))
        note = ""
        if apart > NOTABLE:
            note = "Set the clock before it is further off: AWS refuses what is signed at the wrong time."
        # The service tells whole seconds, some of which have passed by the time that we read them.
        seconds = int(apart.total_seconds())
        return Seen(f"{seconds} s apart from {way.endpoint.host}" if seconds > 1 else "right", note)

    def user_pool(self, username: str | None) -> Seen:
        pool, profile = self._user_pool, self._profile
        way = self._places[0].way
        if not way.is_hidden:
            # Its public keys are there for those who verify tokens, "Verifying JSON web tokens" in the Cognito
            # developer guide. How AWS says that there is no such pool could not be tried: by one of these two.
            answer, _ = self._get(way, f"/{profile.user_pool_id}/.well-known/jwks.json")
            if answer.status in (http.client.BAD_REQUEST, http.client.NOT_FOUND):
                raise ProfileError(
                    f"there is no user pool {profile.user_pool_id} in {profile.user_pool_region}"
                    f" (HTTP {answer.status})",
                    hint=f"Check aws_user_pools_id in the profile: aws-iot config show -k {profile.key}",
                )
        secret_hash = pool.secret_hash(username or NOBODY)
        begun = {"USERNAME": username or NOBODY, "SRP_A": secrets.token_hex(384)}
        with suppress(SignInRefused):  # what it makes of this person is the next question
            pool.call(
                username or NOBODY,
                "initiate_auth",
                AuthFlow="USER_SRP_AUTH",
                ClientId=profile.client_id,
                AuthParameters=begun | ({"SECRET_HASH": secret_hash} if secret_hash else {}),
            )
        return Seen(
            f"{profile.user_pool_id} takes sign-ins by SRP through the app client {profile.client_id}"
        )

    def upgrade(self, credentials: Credentials) -> Seen:
        way = self._broker
        if way.is_hidden:
            return Seen("not looked at")
        answer, body = self._upgraded(way, credentials, self._profile.iot_region)
        refused = why_not(way, answer, self._now())
        if refused is None:
            return Seen(f"HTTP {answer.status}, signed for {self._profile.iot_region}")
        if isinstance(refused, CredentialsRefused):
            for region in self._other_regions():
                other, _ = self._upgraded(way, credentials, region)
                if other.status == http.client.SWITCHING_PROTOCOLS:
                    raise ProfileError(
                        f"{way} refuses what is signed for {self._profile.iot_region}, and takes what is"
                        f" signed for {region}",
                        hint=f"Write aws_pubsub_region as {region}, and read the exports again:"
                        f" aws-iot config -s FILE -k {self._profile.key}",
                    )
        raise _with_answer(refused, answer, body)

    def _upgraded(
        self, way: Way, credentials: Credentials, region: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        request = HttpRequest(
            "GET",
            way.endpoint.path,
            HttpHeaders(
                [
                    ("Host", way.endpoint.host),
                    ("Upgrade", "websocket"),
                    ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Key", base64.b64encode(secrets.token_bytes(16)).decode()),
                    ("Sec-WebSocket-Version", "13"),
                    ("Sec-WebSocket-Protocol", "mqtt"),
                ]
            ),
        )
        signed = sign(request, way.endpoint.path, credentials, region, self._now())

        def ask() -> tuple[http.client.HTTPResponse, bytes]:
            link = way.connect(self._timeout)
            try:
                answer = way.ask(link, signed)
                upgraded = answer.status == http.client.SWITCHING_PROTOCOLS
                return answer, b"" if upgraded else answer.read(MOST_OF_A_BODY)
            finally:
                link.close()

        return self._within(str(way), ask)

    def _other_regions(self) -> Iterator[str]:
        named = (self._profile.identity_pool_region, self._profile.user_pool_region)
        yield from dict.fromkeys(region for region in named if region != self._profile.iot_region)

    @cached_property
    def _places(self) -> list[_Place]:
        """The services, in the order in which they are needed."""
        profile = self._profile
        identity = Address(
            "cognito-identity", profile.identity_pool_region, profile.cognito_identity_url, profile.ca_bundle
        )
        identity_pool = Service.unsigned(identity, self._now, self._timeout)
        return [
            _Place("the user pool", self._way(self._user_pool.service), "aws_user_pools_id"),
            _Place("the identity pool", self._way(identity_pool), "aws_cognito_identity_pool_id"),
            _Place("the broker", self._broker, "aws_pubsub_endpoint"),
        ]

    @property
    def _broker(self) -> Way:
        return Way.to(self._profile.endpoint, self._ca_bundle)

    def _way(self, service: Service) -> Way:
        url = urlsplit(service.client.meta.endpoint_url)
        tls = url.scheme == "https"
        endpoint = Endpoint(url.hostname or "", url.port or (443 if tls else 80), "/", tls)
        return Way.to(endpoint, self._ca_bundle or get_cert_path(True))

    @property
    def _ca_bundle(self) -> str | None:
        return self._profile.ca_bundle or os.environ.get("AWS_CA_BUNDLE")

    def _get(self, way: Way, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        return self._within(str(way), lambda: way.get(path, self._timeout))

    def _within(self, where: str, work: Callable[[], T]) -> T:
        return within(self._timeout, work, f"cannot reach {where}: no answer in {self._timeout:g} seconds")


@dataclass(frozen=True, slots=True)
class _Certificate:
    issuer: str
    ends: datetime

    @classmethod
    def of(cls, link: ssl.SSLSocket) -> "_Certificate":
        """That of the other end of a link which trusts it."""
        told: Any = link.getpeercert()
        issuer = {name: value for parts in told["issuer"] for name, value in parts}
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
        return cls(issuer.get("organizationName") or issuer.get("commonName") or "somebody", ends)


def _ways(places: Iterable[_Place]) -> list[Way]:
    return list(dict.fromkeys(place.way for place in places))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(host: str) -> str:
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _with_answer(refused: AwsIotError, answer: http.client.HTTPResponse, body: bytes) -> AwsIotError:
    """The refusal, with what the service itself said, which awscrt hides."""
    said = [body.decode(errors="backslashreplace").strip()[:MOST_SHOWN]]
    said += [f"{name}: {answer.headers[name]}" for name in TELLING_HEADERS if name in answer.headers]
    words = "; ".join(part for part in said if part)
    return type(refused)(f"{refused}: {words}" if words else str(refused), hint=refused.hint)


MOST_SHOWN = 300
"""So many characters of a body are shown."""

TELLING_HEADERS = ("x-amzn-errortype", "x-amzn-requestid")
