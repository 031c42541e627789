"""Calls of AWS services that wait only as long as we say, and their failures in our words."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoRegionError
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.loaders import Loader
from botocore.session import Session  # not boto3's, which loads a downloader for S3 besides

from aws_iot.aws.base.admin_credentials import Keys, OwnKeys
from aws_iot.aws.base.network_errors import clock_fault, local_hint, why_unreachable
from aws_iot.config.endpoint import is_loopback
from aws_iot.deadline import within
from aws_iot.errors import (
    AwsIotError,
    Busy,
    CredentialsRefused,
    NotAuthorized,
    ProfileError,
    ServiceRefused,
    Unreachable,
)

T = TypeVar("T")

THROTTLED_ATTEMPTS = 4
"""How often a call is made in all that the service has no time for."""

LOST_ATTEMPTS = 2
"""How often a call is made in all whose answer is lost."""

FIRST_PAUSE_SECONDS = 0.5
"""The longest pause before a call is made again; the next may be twice as long, and so on."""

Refusals = dict[str, Callable[[str], AwsIotError]]
"""From a service's error codes to our errors, given the service's own message."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service answers: `url` None means AWS's own address, or the one in `AWS_ENDPOINT_URL…`.

    `region` None means that of the AWS settings, for calls that are signed with somebody's own credentials.
    """

    service: str
    region: str | None
    url: str | None = None
    ca_bundle: str | None = None


class Service:
    """The calls of one AWS service, each with a deadline, and its refusals in our words."""

    def __init__(
        self,
        client: Any,
        now: Callable[[], datetime],
        timeout: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        renewed: Callable[[], Any] | None = None,
    ) -> None:
        """`renewed` gives the client of the next call; it runs on the caller's thread, and may ask a person."""
        self.client = client
        self._renewed = renewed
        self._now = now
        self._timeout = timeout
        self._sleep = sleep

    @classmethod
    def unsigned(cls, address: Address, now: Callable[[], datetime], timeout: float) -> Self:
        """For the calls that need no AWS credentials: looks for none, nor at `AWS_PROFILE`.

        `timeout` is in seconds, for a whole call.
        """
        return cls(_client(_session_of_nobody(), address, timeout, signature=UNSIGNED), now, timeout)

    @classmethod
    def signed(
        cls, address: Address, now: Callable[[], datetime], timeout: float, who: Keys | str | None
    ) -> Self:
        """Signs as the given keys, as a profile of `~/.aws`, or (None) as whoever the usual chain finds.

        Raises `CredentialsRefused` or `ProfileError`. A person may be asked for a code, for whom no deadline holds.
        """
        if isinstance(who, Keys):
            return cls(_client(_session_of_nobody(), address, timeout, keys=who), now, timeout)
        own = OwnKeys.of(who, now, timeout)
        signing = own.keys()
        client = _client(own.session, address, timeout, keys=signing)

        def renewed() -> Any:
            nonlocal signing, client
            if (keys := own.keys()) is not signing:
                signing, client = keys, _client(own.session, address, timeout, keys=keys)
            return client

        return cls(client, now, timeout, renewed=renewed)

    def call(
        self, operation: str, refusals: Refusals, *, once: bool = False, **parameters: Any
    ) -> dict[str, Any]:
        """Make a call, such as `sign_up`. Raises by `refusals`, else by what kind of trouble it is.

        It is made again, with pauses, where the service was too busy to carry it out, and where its answer was
        lost; not the latter with `once`, for what would be refused the second time.
        """
        if self._renewed:
            self.client = self._renewed()
        make, if_lost = getattr(self.client, operation), 1 if once else LOST_ATTEMPTS
        return self.within(refusals, lambda: self._patiently(lambda: make(**parameters), if_lost))

    def pages(
        self, operation: str, tokens: tuple[str, str], refusals: Refusals, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """The pages of a list; `tokens` are what a page calls the next one, and what that is asked for by."""
        given, asked = tokens
        while True:
            page = self.call(operation, refusals, **parameters)
            yield page
            if not page.get(given):
                return
            parameters[asked] = page[given]

    def within(self, refusals: Refusals, work: Callable[[], T], timeout: float | None = None) -> T:
        """What `work` returns, which may be several calls; see `call`."""
        timeout = timeout or self._timeout
        host = urlsplit(self.client.meta.endpoint_url).netloc
        try:
            return within(timeout, work, f"cannot reach {host}: no answer in {timeout:g} seconds")
        except ClientError as error:
            raise _refusal(error, refusals, self._now) from error
        except (HTTPClientError, BotoConnectionError) as error:  # the two bases of failures on the way there
            raise Unreachable(
                f"cannot reach {host}: {why_unreachable(error)}", hint=local_hint(host, error)
            ) from error
        except BotoCoreError as error:  # such as what botocore finds wrong itself, in several lines
            raise ServiceRefused(" ".join(str(error).split())) from error

    def _patiently(self, make: Callable[[], T], if_lost: int) -> T:
        deadline = time.monotonic() + self._timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                return make()
            except (BotoCoreError, ClientError) as error:
                # Any share of it, so that programs that were refused together do not come back together.
                pause = random.uniform(0, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))  # noqa: S311 no secret
                late = time.monotonic() + pause >= deadline
                if late or attempt >= _attempts(error, if_lost):
                    raise
            self._sleep(pause)


def _attempts(error: BotoCoreError | ClientError, if_lost: int) -> int:
    """How often a call is made in all that ends like this.

    botocore's own retries are off: they know no difference between a throttled call, which was not
    carried out, and a lost answer; and they repeat what a `LimitExceededException` refuses, although
    each attempt uses up more of Cognito's limits on codes and passwords.
    """
    if isinstance(error, ClientError):
        if error.response["Error"].get("Code") in _THROTTLED:
            return THROTTLED_ATTEMPTS
        lost = _failed_inside(error)
    else:
        lost = isinstance(error, HTTPClientError | BotoConnectionError)
    return if_lost if lost else 1


def _failed_inside(error: ClientError) -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)


class _Models(Loader):  # type: ignore[misc]  # botocore is not typed
    """botocore's models; a service is known if it has a folder, without a look into each of 400 folders first."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 botocore's signature
        folders = [path for path in map(Path, self.search_paths) if path.is_dir()]
        return [service.name for folder in folders for service in folder.iterdir()]


@cache
def _session_of_nobody() -> Session:
    """Shared by all clients, since it takes longer to make than they do.

    Even an UNSIGNED client fails when AWS_PROFILE names no profile, unless its session knows of none.
    """
    session = Session(session_vars={"profile": (None, None, None, None)})
    session.register_component("data_loader", _Models())
    return session


def _client(
    session: Session, address: Address, timeout: float, *, signature: Any = None, keys: Keys | None = None
) -> Any:
    def made(**more: Any) -> Any:
        config = Config(
            signature_version=signature,
            connect_timeout=timeout + 1,  # the deadline of the whole call comes first, and is told in seconds
            read_timeout=timeout + 1,
            retries={"total_max_attempts": 1, "mode": "standard"},  # see `_attempts`
            user_agent_extra="aws-iot-cli",
            **more,
        )
        return session.create_client(
            address.service,
            region_name=region,
            endpoint_url=address.url,
            config=config,
            verify=address.ca_bundle,
            aws_access_key_id=keys.access_key_id if keys else None,
            aws_secret_access_key=keys.secret_access_key if keys else None,
            aws_session_token=keys.session_token if keys else None,
        )

    try:
        # Empty is no region either, although botocore takes `AWS_DEFAULT_REGION=` for one.
        region = address.region or session.get_config_variable("region")
        if not region:
            raise NoRegionError
        client = made()
        # Only the client knows, since AWS_ENDPOINT_URL and ~/.aws/config have a say in it.
        here = is_loopback(urlsplit(client.meta.endpoint_url).hostname or "")
        # A proxy would look for 127.0.0.1 on its own machine.
        return made(proxies={}) if here and getproxies() else client
    except NoRegionError as error:
        raise ProfileError(
            "this command needs a region, and found none", hint="Give --region, or set AWS_DEFAULT_REGION."
        ) from error
    except (BotoCoreError, ValueError) as error:
        raise ProfileError(
            f"{address.service} cannot be used: {error}", hint="Check the profile: aws-iot config show"
        ) from error


def _refusal(error: ClientError, refusals: Refusals, now: Callable[[], datetime]) -> AwsIotError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if code in _MAYBE_CLOCK and (wrong := clock_fault(headers.get("date"), now())):
        return wrong
    if make := refusals.get(code) or _ANYWHERE.get(code):
        return make(message)
    kind = Busy if _failed_inside(error) else ServiceRefused
    return kind(f"{error.operation_name} was refused: {code}: {message}")


# A signature or an SRP proof made at the wrong time looks like a wrong one.
_MAYBE_CLOCK = {
    "NotAuthorizedException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ForbiddenException",
}


def _busy(_: str) -> AwsIotError:
    return Busy("AWS takes no more requests at the moment: try again in a minute")


def _bad_keys(message: str) -> AwsIotError:
    return CredentialsRefused(
        f"AWS does not take these credentials: {message}",
        hint="Look whose they are: aws sts get-caller-identity; --aws-profile names others.",
    )


def _not_allowed(message: str) -> AwsIotError:
    return NotAuthorized(f"your AWS credentials do not allow this: {message}")


def _ended(message: str) -> AwsIotError:
    return CredentialsRefused(
        f"these AWS credentials have ended: {message}",
        hint="Get new ones, as by aws sso login, or name others with --aws-profile.",
    )


_THROTTLED = ("TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded")

_ANYWHERE: Refusals = {
    **dict.fromkeys(_THROTTLED, _busy),
    "LimitExceededException": lambda message: ServiceRefused(f"a limit of AWS is reached: {message}"),
    "AccessDenied": _not_allowed,  # what the query protocol of CloudFormation calls it
    "AccessDeniedException": _not_allowed,
    "ExpiredToken": _ended,
    "ExpiredTokenException": _ended,
    "ForbiddenException": _bad_keys,
    "IncompleteSignature": _bad_keys,
    "InvalidAccessKeyId": _bad_keys,
    "InvalidClientTokenId": _bad_keys,
    "InvalidSignatureException": _bad_keys,
    "MissingAuthenticationToken": _bad_keys,
    "MissingAuthenticationTokenException": _bad_keys,
    "SignatureDoesNotMatch": _bad_keys,
    "UnrecognizedClientException": _bad_keys,
}
