"""Whether a broker cuts links over what is asked of it: AWS IoT Core may say no without a word."""

import time
from enum import Enum

from aws_iot.aws.iot.outbox import CUTS_THAT_REFUSE, Outbox, is_over

TRIAL_SECONDS = 1.0
"""So long a link has to stand, if not longer, for what was asked for on those before to be to blame for their ends."""


class Trial(Enum):
    """What is asked for over a link, where something is suspected to be what the broker cuts links over."""

    BARE = "nothing"
    ALONE = "what is suspected"


class Suspicion:
    """Counts cuts, and puts on trial what they may be over.

    A broker that restarts, or what stands before it, cuts links as well. So: does a link stand on which nothing is
    asked for, and is it cut once that alone is?
    """

    def __init__(self) -> None:
        self.trial: Trial | None = None
        self.seconds = TRIAL_SECONDS
        """How long a link on which nothing is asked for has to stand."""
        self.ungranted = 0
        """So many cuts in a row came while a subscription was asked for the first time."""
        self.futile = 0
        """The same while those were asked for again that had been granted before."""

    def cut(
        self, outbox: Outbox, *, link_began: float, is_subscribing: bool, is_resubscribing: bool
    ) -> str | None:
        """The broker has ended a link, which may be over what was asked for there: what is refused, if that is clear.

        A subscription that is asked for the first time is for whoever waits for it to give up: see `ungranted`.
        """
        trial, self.trial = self.trial, None
        if trial is Trial.BARE:
            self.drop(outbox)
            return None
        self.ungranted = self.ungranted + 1 if is_subscribing else 0
        stood = time.monotonic() - outbox.link_began
        publishing = outbox.cut()
        self.futile = self.futile + 1 if is_resubscribing and is_over(link_began) else 0
        if trial and self.futile >= CUTS_THAT_REFUSE:
            return "subscribe again to what was granted before"
        if trial and outbox.cuts >= CUTS_THAT_REFUSE and not (is_resubscribing or is_subscribing):
            return publishing
        if max(self.futile, self.ungranted, outbox.cuts) >= CUTS_THAT_REFUSE - 1:
            self.trial, self.seconds = Trial.BARE, max(TRIAL_SECONDS, 2 * stood)
        return None

    def drop(self, outbox: Outbox) -> None:
        """A link has ended over nothing that was asked for."""
        self.trial = None
        outbox.acquit()
        self.futile = self.ungranted = 0
