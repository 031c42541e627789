"""Retries: which calls, how often, and with which pauses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from aws_iot.aws.base.calls import BACKOFF, THROTTLED_ATTEMPTS, Service
from aws_iot.errors import AwsIotError, ServiceRefused, Unreachable

LOST = ConnectionClosedError(endpoint_url="https://x")
UNPLUGGED = EndpointConnectionError(endpoint_url="https://x", error=ConnectionRefusedError())


def refusal(code: str, status: int = 400) -> ClientError:
    """A refusal, as botocore raises it."""
    return ClientError(
        {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SignUp"
    )


THROTTLED = refusal("TooManyRequestsException")


class Client:
    """Raises these errors, one a call, then answers."""

    meta = SimpleNamespace(endpoint_url="https://cognito-idp.us-east-1.amazonaws.com")

    def __init__(self, *errors: Exception) -> None:
        self._errors: Iterator[Exception] = iter(errors)
        self.calls = 0

    def sign_up(self) -> dict[str, Any]:
        self.calls += 1
        for error in self._errors:
            raise error
        return {"UserSub": "1"}


def service(client: Client, pauses: list[float]) -> Service:
    return Service(client, lambda: datetime.now(UTC), 10, sleep=pauses.append)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException", "Throttling"])
@pytest.mark.parametrize("once", [True, False])
def test_a_throttled_call_is_retried_even_if_it_must_not_be_repeated(code: str, once: bool) -> None:
    client, pauses = Client(refusal(code), refusal(code)), list[float]()
    assert service(client, pauses).call("sign_up", {}, once=once) == {"UserSub": "1"}
    assert client.calls == 3
    assert len(pauses) == 2


def test_retries_of_a_throttled_call_end() -> None:
    client, pauses = Client(*[THROTTLED] * 99), list[float]()
    with pytest.raises(ServiceRefused, match="throttling"):
        service(client, pauses).call("sign_up", {})
    assert client.calls == THROTTLED_ATTEMPTS
    bounds = [BACKOFF.delay(retry) for retry in range(THROTTLED_ATTEMPTS - 1)]
    assert all(0 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True))


def test_pauses_differ_so_that_programs_do_not_retry_together() -> None:
    pauses: list[float] = []
    for _ in range(5):
        service(Client(THROTTLED), pauses).call("sign_up", {})
    assert len(set(pauses)) == 5


@pytest.mark.parametrize(
    ("error", "kind"),
    [(LOST, Unreachable), (UNPLUGGED, Unreachable), (refusal("InternalErrorException", 500), ServiceRefused)],
)
def test_a_call_whose_answer_is_lost_is_retried_once_if_it_can_be_repeated(
    error: Exception, kind: type[AwsIotError]
) -> None:
    client = Client(error)
    assert service(client, []).call("sign_up", {})
    assert client.calls == 2
    for once, calls in ((True, 1), (False, 2)):
        client = Client(*[error] * 99)
        with pytest.raises(kind):
            service(client, []).call("sign_up", {}, once=once)
        assert client.calls == calls


@pytest.mark.parametrize("code", ["LimitExceededException", "NotAuthorizedException"])
def test_a_refusal_is_not_retried(code: str) -> None:
    client = Client(refusal(code))
    with pytest.raises(ServiceRefused):
        service(client, []).call("sign_up", {})
    assert client.calls == 1
