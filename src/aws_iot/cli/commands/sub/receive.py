"""Receiving: passes messages to a sink until enough have arrived, or the time is up."""

import math
import time
from collections.abc import Collection
from dataclasses import dataclass

from aws_iot.cli.commands.sub.sinks import Sink
from aws_iot.cli.ui.formatting import show_connection_event
from aws_iot.errors import NothingArrived
from aws_iot.messaging.client import Client
from aws_iot.messaging.deliveries import Delivery, Flush
from aws_iot.messaging.message import short_identity


@dataclass(frozen=True)
class SenderFilter:
    """Whose messages count: only those of `senders`, if there are any, and none of `muted`."""

    senders: Collection[str] = ()
    """Whole identities, or their first 8 characters."""
    muted: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether it excludes anybody."""
        return bool(self.senders or self.muted)

    def accepts(self, sender: str) -> bool:
        """Whether messages of this identity count."""
        if sender in self.muted:
            return False
        return not self.senders or sender in self.senders or short_identity(sender) in self.senders


@dataclass(frozen=True)
class Limits:
    """When to stop: after `count` messages, or `seconds` after subscribing. None is no limit."""

    count: int | None
    seconds: float | None

    def check(self, arrived: int) -> None:
        """Raise `NothingArrived` if too few messages arrived in time."""
        if self.seconds is not None and arrived < (self.count or 1):
            what = f"{arrived or 'none'} of {self.count} messages" if self.count else "no message"
            raise NothingArrived(f"{what} arrived within {self.seconds:g} seconds")


def receive(client: Client, sink: Sink, senders: SenderFilter, limits: Limits) -> int:
    """Pass messages to the sink. Returns their number when a limit is reached and all have been handled."""
    ends = math.inf if limits.seconds is None else time.monotonic() + limits.seconds
    is_filtered = bool(senders)
    arrived = 0
    for event in client.events(limits.seconds):
        if isinstance(event, Delivery):
            if is_filtered and not senders.accepts(event.message.sender):
                event.ack()
                continue
            sink.take(event, ends)
            arrived += 1
            if arrived == limits.count:
                break
        elif isinstance(event, Flush):
            sink.flush()
        else:
            show_connection_event(event)
    sink.finish(ends)
    return arrived
