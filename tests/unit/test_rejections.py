"""Rejections: each is reported, and they decide the error of the run."""

import pytest

from aws_iot.errors import (
    AwsIotError,
    InvalidMessage,
    InvalidRoom,
    LimitReached,
    NotAuthorized,
    ServiceRefused,
    TopicRefused,
)
from aws_iot.publishing.rejections import Rejections
from aws_iot.publishing.reporter import Event, Rejected


def error_of(*errors: AwsIotError) -> AwsIotError:
    """The error of a run with these rejections."""
    rejections = Rejections(lambda _: None)
    for error in errors:
        rejections.add(1, error)
    with pytest.raises(AwsIotError) as raised:
        rejections.check()
    return raised.value


def test_without_rejections_there_is_no_error() -> None:
    Rejections(lambda _: None).check()


def test_every_rejection_is_reported_and_counted() -> None:
    events: list[Event] = []
    rejections = Rejections(events.append)
    expected = [Rejected(3, InvalidMessage("no text")), Rejected(None, TopicRefused("no"))]
    for event in expected:
        rejections.add(event.number, event.error)
    assert events == expected
    assert rejections.count == 2


@pytest.mark.parametrize("kind", [TopicRefused, ServiceRefused, InvalidMessage, InvalidRoom, LimitReached])
def test_with_one_cause_the_error_is_of_that_cause(kind: type[AwsIotError]) -> None:
    assert type(error_of(kind("a"), kind("b"))) is kind


@pytest.mark.parametrize("first", [0, 1])
def test_among_several_causes_a_missing_authorization_counts_most(first: int) -> None:
    errors = [TopicRefused("no"), InvalidMessage("too large")]
    assert type(error_of(errors[first], errors[1 - first])) is NotAuthorized


def test_several_other_causes_are_a_rejection_by_the_service() -> None:
    assert type(error_of(LimitReached("full"), InvalidMessage("too large"))) is ServiceRefused


def test_the_error_counts_the_messages_and_keeps_a_hint_that_all_causes_share() -> None:
    assert str(error_of(TopicRefused("no"))) == "1 message was not sent"
    shared = error_of(*(TopicRefused("no", hint="Ask an admin.") for _ in range(1000)))
    assert (str(shared), shared.hint) == ("1,000 messages were not sent", "Ask an admin.")
    assert error_of(TopicRefused("no", hint="Ask an admin."), TopicRefused("no")).hint is None
