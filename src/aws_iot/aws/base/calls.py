"""Calls of AWS services: with a deadline, retries where they help, and failures as our errors."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as BotoConnectionError

from aws_iot.aws.base.admin_credentials import AccessKeys, AdminCredentials
from aws_iot.aws.base.answers import Reply
from aws_iot.aws.base.clients import Address, ca_bundle_of, client_with_keys, unsigned_client
from aws_iot.aws.base.network_errors import ForeignAnswer, unreachable_hint, why_unreachable
from aws_iot.aws.base.refusals import THROTTLED, Refusals, is_server_error, translate
from aws_iot.backoff import Backoff
from aws_iot.config.ca_bundle import check_ca_bundle
from aws_iot.deadline import in_seconds, within
from aws_iot.errors import ServiceRefused, Unreachable

T = TypeVar("T")

THROTTLED_ATTEMPTS = 4
"""The number of attempts at a call that the service throttles."""

LOST_ATTEMPTS = 2
"""The number of attempts at a call whose answer is lost."""

BACKOFF = Backoff(0.5, 2, 8)
"""The longest pause before each retry, in seconds. The real one is random."""


class ClientSource(Protocol):
    """Gives the client of the next call."""

    def current(self) -> Any:
        """A botocore client. This runs on the caller's thread and may ask the person for a code."""
        ...


class Service:
    """The calls of one AWS service. Each has a deadline, and raises our errors."""

    def __init__(
        self,
        client: Any,
        now: Callable[[], datetime],
        timeout: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        source: ClientSource | None = None,
    ) -> None:
        """`timeout` is in seconds, for a whole call with its retries. A `source` replaces the client in time."""
        self.client = client
        self._source = source
        self._now = now
        self._timeout = timeout
        self._sleep = sleep

    @classmethod
    def unsigned(cls, address: Address, now: Callable[[], datetime], timeout: float) -> Self:
        """For calls that need no AWS credentials. They read neither credentials nor AWS settings from files."""
        return cls(unsigned_client(address, timeout), now, timeout)

    @classmethod
    def signed(
        cls, address: Address, now: Callable[[], datetime], timeout: float, who: AccessKeys | str | None
    ) -> Self:
        """Sign with the given keys, with a profile of `~/.aws`, or (None) with what botocore finds by itself.

        Raises `CredentialsRefused`, `Unreachable` or `LocalError`. It may ask the person for a code, without deadline.
        """
        if isinstance(who, AccessKeys):
            return cls(client_with_keys(address, timeout, who), now, timeout)
        source = _AdminClient(AdminCredentials.of(who, now, timeout), address, timeout)
        return cls(source.current(), now, timeout, source=source)

    def call(
        self, operation: str, refusals: Refusals, *, once: bool = False, **parameters: Any
    ) -> dict[str, Any]:
        """Make a call, such as `sign_up`. Raises by `refusals`, else by the kind of failure.

        Retries if the service was too busy to carry it out, or if its answer was lost. `once` excludes the latter:
        it is for calls that would be rejected the second time.
        """
        if self._source:
            self.client = self._source.current()
        make, lost_attempts = getattr(self.client, operation), 1 if once else LOST_ATTEMPTS
        answer = self.within(refusals, lambda: self._retry(lambda: make(**parameters), lost_attempts))
        return Reply(answer, f"{self._host} to {operation}")

    def pages(
        self, operation: str, tokens: tuple[str, str], refusals: Refusals, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """The pages of a list. `tokens` names the field of the next page, and the parameter that asks for it."""
        field, parameter = tokens
        while True:
            page = self.call(operation, refusals, **parameters)
            yield page
            if not page.get(field):
                return
            parameters[parameter] = page[field]

    def within(self, refusals: Refusals, work: Callable[[], T], timeout: float | None = None) -> T:
        """Return what `work` returns, which may make several calls. Raises as `call`."""
        timeout = timeout or self._timeout
        host = self._host
        try:
            return within(timeout, work, f"cannot reach {host}: no answer in {in_seconds(timeout)}")
        except ClientError as error:
            raise translate(error, refusals, self._now) from error
        except (HTTPClientError, BotoConnectionError) as error:  # the two bases of network failures
            if isinstance(error, SSLError) and (bundle := ca_bundle_of(self.client)):
                check_ca_bundle(bundle)
            raise Unreachable(
                f"cannot reach {host}: {why_unreachable(error)}", hint=unreachable_hint(host, error)
            ) from error
        except BotoCoreError as error:  # what botocore rejects itself, in several lines
            raise ServiceRefused(" ".join(str(error).split())) from error

    @property
    def _host(self) -> str:
        return str(urlsplit(self.client.meta.endpoint_url).netloc)

    def _retry(self, make: Callable[[], T], lost_attempts: int) -> T:
        deadline = time.monotonic() + self._timeout
        for retry, longest_pause in enumerate(BACKOFF):
            try:
                return make()
            except (BotoCoreError, ClientError) as error:
                # Random, so that programs that were rejected together do not retry together.
                pause = random.uniform(0, longest_pause)  # noqa: S311 no secret
                late = time.monotonic() + pause >= deadline
                if late or retry + 1 >= _attempts(error, lost_attempts):
                    raise
            self._sleep(pause)
        raise AssertionError("the delays of a Backoff do not end")


class _AdminClient:
    """A client that signs with an admin's credentials, and is replaced when those are."""

    def __init__(self, credentials: AdminCredentials, address: Address, timeout: float) -> None:
        self._credentials = credentials
        self._address = address
        self._timeout = timeout
        self._keys: AccessKeys | None = None
        self._client: Any = None

    def current(self) -> Any:
        keys = self._credentials.keys()
        if keys is not self._keys:
            session = self._credentials.session
            self._client = client_with_keys(self._address, self._timeout, keys, session)
            self._keys = keys
        return self._client


def _attempts(error: BotoCoreError | ClientError, lost_attempts: int) -> int:
    """The number of attempts at a call that ends like this.

    botocore's own retries are off. They do not distinguish a throttled call, which was not carried out, from a lost
    answer. They also repeat a call that failed with LimitExceededException, although each attempt uses up more of
    Cognito's limits on codes and passwords.
    """
    if isinstance(error, ClientError):
        if error.response["Error"].get("Code") in THROTTLED:
            return THROTTLED_ATTEMPTS
        lost = is_server_error(error)
    elif isinstance(foreign := error.kwargs.get("error"), ForeignAnswer):
        lost = foreign.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        lost = isinstance(error, HTTPClientError | BotoConnectionError)
    return lost_attempts if lost else 1
