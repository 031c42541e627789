"""Whether the broker cuts connections because of a request: AWS IoT Core may refuse one without an answer.

A broker that restarts cuts connections as well, and so does the load balancer in front of it. A request counts as
refused only after this test:

1. Two connections in a row are cut soon after the same kind of request.
2. Idle probe: a connection that asks for nothing stays up, longer than the cut ones did.
   If it is cut too, the request was not the reason, and the count starts again.
3. Single request: the suspected request is sent alone on that connection, and is cut a third time.
"""

from typing import NamedTuple, Self

from aws_iot.errors import AwsIotError, ServiceRefused, TopicRefused

CUTS_THAT_REFUSE = 3
"""This many cuts in a row over the same request are a refusal, if the last one was a single request."""

PROBE_SECONDS = 1.0
"""How long an idle probe lasts at least."""


class RefusalDetector(NamedTuple):
    """How many connections in a row were cut over each kind of request."""

    failed_publishes: int = 0
    """Cuts over the oldest message."""
    failed_subscribes: int = 0
    """Cuts over a subscription that is requested for the first time."""
    failed_resubscribes: int = 0
    """Cuts over subscriptions that an earlier connection had."""

    def after_cut(self, *, publishing: bool, subscribing: bool, resubscribing: bool) -> Self:
        """Count a cut. Each argument tells whether the cut may be over that kind of request."""
        return self._replace(
            failed_publishes=self.failed_publishes + 1 if publishing else 0,
            failed_subscribes=self.failed_subscribes + 1 if subscribing else 0,
            failed_resubscribes=self.failed_resubscribes + 1 if resubscribing else 0,
        )

    @property
    def needs_probe(self) -> bool:
        """Whether the next connection has to be an idle probe."""
        return max(self) >= CUTS_THAT_REFUSE - 1


def probe_seconds(lasted: float) -> float:
    """How long an idle probe has to stay up after a connection that was cut after `lasted` seconds."""
    return max(PROBE_SECONDS, 2 * lasted)


def refused_by_cuts(action: str, reason: str | None) -> AwsIotError:
    """The broker ends each connection over `action`; `reason` is the reason code of its DISCONNECT in words, if any."""
    if reason is not None:
        return ServiceRefused(f"the broker ends the connection after each attempt to {action}: {reason}")
    return TopicRefused(
        f"not authorized to {action}: the broker closes the connection each time",
        hint="That is how it may reject a topic. Choose a room that you may use with -r, or ask an admin.",
    )


def topic_refused(action: str) -> TopicRefused:
    """A policy denies an action such as "publish to a/b"."""
    return TopicRefused(
        f"not authorized to {action}",
        hint="A policy denies it. Choose a room that you may use with -r, or ask an admin.",
    )
