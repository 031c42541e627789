"""What cuts are taken for: a refusal only after a trial in which what is suspected was asked for alone."""

import time

import pytest
from awscrt import mqtt5

from aws_iot.aws.iot.outbox import Outbox
from aws_iot.aws.iot.refusal_detector import TRIAL_SECONDS, Suspicion, Trial

REFUSED = "publish to a/b"


@pytest.fixture
def outbox() -> Outbox:
    """A message waits in it."""
    outbox = Outbox()
    outbox.add(mqtt5.PublishPacket(topic="a/b", qos=mqtt5.QoS.AT_LEAST_ONCE), lambda _: None)
    outbox.begin()
    return outbox


def cut(
    suspicion: Suspicion, outbox: Outbox, *, subscribing: bool = False, again: bool = False
) -> str | None:
    began = time.monotonic()
    return suspicion.cut(outbox, link_began=began, is_subscribing=subscribing, is_resubscribing=again)


def test_two_cuts_over_a_message_put_it_on_trial_and_the_third_in_which_it_is_alone_is_a_refusal(
    outbox: Outbox,
) -> None:
    suspicion = Suspicion()
    assert [(cut(suspicion, outbox), suspicion.trial) for _ in range(2)] == [(None, None), (None, Trial.BARE)]
    suspicion.trial = Trial.ALONE
    assert cut(suspicion, outbox) == REFUSED


def test_a_link_that_is_cut_although_nothing_is_asked_for_clears_what_was_suspected(outbox: Outbox) -> None:
    suspicion = Suspicion()
    for _ in range(2):
        assert [cut(suspicion, outbox) for _ in range(2)] == [None, None]
        assert suspicion.trial is Trial.BARE
        assert cut(suspicion, outbox) is None
        assert suspicion.trial is None


def test_an_end_that_is_over_nothing_asked_for_clears_it_as_well(outbox: Outbox) -> None:
    suspicion = Suspicion()
    cut(suspicion, outbox)
    suspicion.drop(outbox)
    assert (cut(suspicion, outbox), suspicion.trial) == (None, None)


def test_what_was_granted_before_and_is_not_any_more_is_a_refusal() -> None:
    suspicion, outbox = Suspicion(), Outbox()
    for _ in range(2):
        cut(suspicion, outbox, again=True)
    suspicion.trial = Trial.ALONE
    assert cut(suspicion, outbox, again=True) == "subscribe again to what was granted before"


def test_whoever_waits_for_a_new_subscription_decides_by_the_number_of_cuts() -> None:
    suspicion, outbox = Suspicion(), Outbox()
    for number in (1, 2):
        assert cut(suspicion, outbox, subscribing=True) is None
        assert suspicion.ungranted == number
    suspicion.trial = Trial.ALONE
    assert cut(suspicion, outbox, subscribing=True) is None
    assert suspicion.ungranted == 3


def test_a_link_has_to_stand_longer_than_the_one_before_it(outbox: Outbox) -> None:
    suspicion = Suspicion()
    outbox.link_began = time.monotonic() - 3
    cut(suspicion, outbox)
    cut(suspicion, outbox)
    assert suspicion.trial is Trial.BARE
    assert suspicion.seconds >= 6 > TRIAL_SECONDS
