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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from awscrt.http import HttpHeaders, HttpRequest
from botocore.httpsession import get_cert_path

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.network_errors import clock_fault, time_of
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.user_pool import UserPool
from aws_iot.aws.iot.diagnosis import MOST_OF_A_BODY, Way, why_not
from aws_iot.aws.iot.signing import sign
from aws_iot.config.endpoint import PATH, Endpoint
from aws_iot.config.profile import Profile
from aws_iot.deadline import within
from aws_iot.doctor.checks import Seen, redacted, secrets_of
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    LocalError,
    ProfileError,
    SignInRefused,
    Unreachable,
)

T = TypeVar("T")

NOTABLE = timedelta(minutes=1)
"""A clock that is off by so much is worth a word: a signature of it is taken for some minutes only."""

SOON = timedelta(days=14)
"""A certificate that ends within this time is worth one, too."""

NOBODY = "aws-iot-doctor"
"""Whose sign-in is begun, and left there, where it is not known who it will be."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A service and where it answers; `setting` is what says so. One that is `spare` is not needed just now."""

    name: str
    way: Way
    setting: str
    spare: bool = False


class CognitoAndIotCore:
    """`Services` of a profile. `timeout` is in seconds, for each question to each service.

    With a `live_session` the user pool is not needed now: what is wrong there is told as advice, and no failure.
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
        self._live_session = live_session
        self._user_pool = UserPool(profile, now, timeout, client_secret)

    def names(self) -> Seen:
        try:
            places = self._places
        except LocalError:
            return Seen("not looked at before the proxy is right")
        unknown: list[_Place] = []

        def look(place: _Place) -> str:
            host, _ = place.way.first
            if _is_address(host):
                return f"{host} needs none"
            try:
                return f"{host} is {self._within(host, partial(_address, host))}"
            except (OSError, UnicodeError) as error:  # the latter by a name that is none
                unknown.append(place)
                raise Unreachable(f"there is no host of the name {host}") from error

        try:
            return self._each(places, look, lambda place: place.way.first[0])
        except Unreachable as error:
            if error.hint is None:
                settings = ", ".join(dict.fromkeys(place.setting for place in unknown))
                error.hint = f"If there is a network (does any other program reach it?), check {settings}."
            raise

    def proxies(self) -> Seen:
        behind = [place for place in self._places if place.way.proxy]
        if not behind:
            wanted = next((name for name in os.environ if name.lower() == "https_proxy"), None)
            unused = f"{wanted} is set, and not for these hosts (NO_PROXY, or this machine)" if wanted else ""
            return Seen(unused or "none is set (HTTPS_PROXY)")
        first = ":".join(map(str, behind[0].way.first))
        if behind[0].way.is_hidden:
            return Seen(f"{first}, by TLS: what is behind it is not looked at before 'sign-in'")

        def look(place: _Place) -> str:
            self._within(str(place.way), partial(place.way.connect, self._timeout, secured=False)).close()
            return place.name

        seen = self._each(behind, look)
        return Seen(f"{first} lets through to: {seen.text}", seen.advice)

    def certificates(self) -> Seen:
        ending: list[str] = []

        def look(place: _Place) -> str:
            endpoint = place.way.endpoint
            link = self._within(str(place.way), partial(place.way.connect, self._timeout))
            try:
                if not isinstance(link.sock, ssl.SSLSocket):
                    return f"{endpoint.host}:{endpoint.port} without TLS"
                certificate = _Certificate.of(link.sock)
                if certificate.ends - self._now() < SOON:
                    ending.append(f"The certificate of {endpoint.host} ends on {certificate.ends:%F}.")
                return f"{endpoint.host} {link.sock.version()}, certified by {certificate.issuer}"
            finally:
                link.close()

        seen = self._each(self._visible, look)
        return Seen(seen.text, "\n".join(filter(None, [seen.advice, *ending])))

    def clock(self) -> Seen:
        def look(place: _Place) -> str:
            host, told = place.way.endpoint.host, self._get(place.way, "/", most=0)[0].headers.get("date")
            theirs = time_of(told)
            if theirs is None:
                return f"{host} does not tell the time"
            if fault := clock_fault(told, self._now()):
                raise fault
            # The service tells whole seconds, some of which have passed by the time that we read them.
            seconds = int(abs(self._now() - theirs).total_seconds())
            if seconds > NOTABLE.total_seconds():
                apart.append(
                    "Set the clock before it is further off: AWS refuses what is signed at the wrong time."
                )
            return f"{seconds} s apart from {host}" if seconds > 1 else f"as {host} has it"

        apart: list[str] = []
        needed = [place for place in self._visible if not place.spare]
        seen = self._each(needed[:1], look)
        return Seen(seen.text, "\n".join(apart))

    def user_pool(self, username: str | None) -> Seen:
        user_pool = self._places[0]
        return self._each([user_pool], lambda place: self._begun(place.way, username or NOBODY))

    def _begun(self, way: Way, username: str) -> str:
        """Begin to sign in, as far as the user pool's challenge."""
        pool, profile = self._user_pool, self._profile
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
        secret_hash = pool.secret_hash(username)
        begun = {"USERNAME": username, "SRP_A": secrets.token_hex(384)}
        with suppress(SignInRefused):  # what it makes of this person is the next question
            pool.call(
                username,
                "initiate_auth",
                _OF_THE_PERSON,
                AuthFlow="USER_SRP_AUTH",
                ClientId=profile.client_id,
                AuthParameters=begun | ({"SECRET_HASH": secret_hash} if secret_hash else {}),
            )
        return f"{profile.user_pool_id} takes sign-ins by SRP through the app client {profile.client_id}"

    def upgrade(self, credentials: Credentials) -> Seen:
        way = self._broker
        if way.is_hidden:
            return Seen("not looked at")
        region = self._profile.iot_region
        answer, body = self._upgraded(way, credentials, region)
        refused = why_not(way, answer, self._now())
        if refused is None:
            return Seen(f"HTTP {answer.status}, signed for {region}")
        if isinstance(refused, CredentialsRefused):
            show = f"Write it so, and read the exports again: aws-iot config -s FILE -k {self._profile.key}"
            for other in self._other_regions():
                if self._opens(way, credentials, other):
                    raise ProfileError(
                        f"{way} refuses what is signed for {region}, and takes what is signed for {other}",
                        hint=f"aws_pubsub_region has to be {other}. {show}",
                    )
            usual = replace(way, endpoint=replace(way.endpoint, path=PATH))
            if usual != way and self._opens(usual, credentials, region):
                raise ProfileError(
                    f"{way} refuses the path {way.endpoint.path}, and takes {PATH}",
                    hint=f"aws_pubsub_endpoint has to be {usual.endpoint}. {show}",
                )
        raise _with_answer(refused, answer, redacted(body, secrets_of(credentials)))

    def _opens(self, way: Way, credentials: Credentials, region: str) -> bool:
        return self._upgraded(way, credentials, region)[0].status == http.client.SWITCHING_PROTOCOLS

    def _upgraded(
        self, way: Way, credentials: Credentials, region: str
    ) -> tuple[http.client.HTTPResponse, str]:
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

        def ask() -> tuple[http.client.HTTPResponse, str]:
            link = way.connect(self._timeout)
            try:
                answer = way.ask(link, signed)
                if answer.status == http.client.SWITCHING_PROTOCOLS:
                    return answer, ""
                return answer, answer.read(MOST_OF_A_BODY).decode(errors="backslashreplace")
            finally:
                link.close()

        return self._within(str(way), ask)

    def _other_regions(self) -> Iterator[str]:
        named = (self._profile.identity_pool_region, self._profile.user_pool_region)
        yield from dict.fromkeys(region for region in named if region != self._profile.iot_region)

    def _each(
        self,
        places: Iterable[_Place],
        look: Callable[[_Place], str],
        same: Callable[[_Place], Any] = lambda place: place.way,
    ) -> Seen:
        """Look at each place, but once at those that are the same. Raises the first trouble of one that is needed."""
        seen: dict[Any, str | AwsIotError] = {}
        for place in sorted(places, key=lambda place: place.spare):
            if same(place) not in seen:
                try:
                    seen[same(place)] = look(place)
                except AwsIotError as error:
                    if not place.spare:
                        raise
                    seen[same(place)] = error
        troubles = [
            f"{self._places[0].name.capitalize()} is not needed while the session lives, and then: {trouble}."
            for trouble in seen.values()
            if isinstance(trouble, AwsIotError)
        ]
        found = [one for one in seen.values() if isinstance(one, str)]
        return Seen("; ".join(found) or "not needed now", "\n".join(troubles))

    @cached_property
    def _places(self) -> list[_Place]:
        """The services, in the order in which they are needed."""
        profile = self._profile
        identity = Address(
            "cognito-identity", profile.identity_pool_region, profile.cognito_identity_url, profile.ca_bundle
        )
        identity_pool = Service.unsigned(identity, self._now, self._timeout)
        here = [
            ("the user pool", self._user_pool.service, profile.cognito_idp_url, "aws_user_pools_id"),
            (
                "the identity pool",
                identity_pool,
                profile.cognito_identity_url,
                "aws_cognito_identity_pool_id",
            ),
        ]
        places = [_Place(name, self._way(one), _setting(url, key)) for name, one, url, key in here]
        places[0] = replace(places[0], spare=self._live_session)
        places.append(_Place("the broker", self._broker, "aws_pubsub_endpoint"))
        return [replace(one, setting="HTTPS_PROXY") if one.way.proxy else one for one in places]

    @property
    def _visible(self) -> list[_Place]:
        return [place for place in self._places if not place.way.is_hidden]

    @property
    def _broker(self) -> Way:
        return Way.to(self._profile.endpoint, self._profile.ca_bundle or os.environ.get("AWS_CA_BUNDLE"))

    def _way(self, service: Service) -> Way:
        url = urlsplit(service.client.meta.endpoint_url)
        tls = url.scheme == "https"
        endpoint = Endpoint(url.hostname or "", url.port or (443 if tls else 80), "/", tls)
        # Only botocore itself knows which of its settings, files and variables counts.
        return Way.to(endpoint, get_cert_path(service.client._endpoint.http_session._verify))

    def _get(self, way: Way, path: str, most: int = MOST_OF_A_BODY) -> tuple[http.client.HTTPResponse, bytes]:
        return self._within(str(way), lambda: way.get(path, self._timeout, most))

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


def _setting(url: str | None, key: str) -> str:
    """What says where a service of Cognito is."""
    return "the endpoint_url_… keys of the exports" if url else f"{key} (or AWS_ENDPOINT_URL, if set)"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(host: str) -> str:
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _with_answer(refused: AwsIotError, answer: http.client.HTTPResponse, body: str) -> AwsIotError:
    """The refusal, with what the service itself said, which awscrt hides."""
    said = [body.strip()]
    said += [f"{name}: {answer.headers[name]}" for name in TELLING_HEADERS if name in answer.headers]
    words = "; ".join(part[:MOST_SHOWN] for part in said if part)
    return type(refused)(f"{refused}: {words}" if words else str(refused), hint=refused.hint)


MOST_SHOWN = 300
"""So many characters of a body, or a header, are shown."""

TELLING_HEADERS = ("x-amzn-errortype", "x-amzn-requestid")

_OF_THE_PERSON: Refusals = dict.fromkeys(
    ("UserLambdaValidationException", "UnexpectedLambdaException", "InvalidLambdaResponseException"),
    SignInRefused,
)
"""What programs of the user pool's owner say to a sign-in depends on who it is."""
