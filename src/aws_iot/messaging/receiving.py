"""Receiving: passes messages to a sink until enough have arrived, or the time is up."""

import math
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from aws_iot.deadline import in_seconds
from aws_iot.errors import NothingArrived
from aws_iot.identities import IdentityPrefix
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.deliveries import Delivery, Flush


@dataclass(frozen=True)
class SenderFilter:
    """Whose messages count: only those of `senders`, if there are any, and none of `muted`."""

    senders: Collection[IdentityPrefix] = ()
    muted: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether it excludes anybody."""
        return bool(self.senders or self.muted)

    def accepts(self, sender: str) -> bool:
        """Whether messages of this identity count."""
        if sender in self.muted:
            return False
        return not self.senders or any(one.matches(sender) for one in self.senders)


@dataclass(frozen=True)
class Limits:
    """When to stop: after `count` messages, or `seconds` after subscribing. None is no limit."""

    count: int | None
    seconds: float | None

    def left(self, arrived: int, seconds: float) -> "Limits":
        """What is left after so many messages and seconds. With a count of 0, nothing is."""
        return Limits(
            None if self.count is None else max(0, self.count - arrived),
            None if self.seconds is None else max(0.0, self.seconds - seconds),
        )

    def check(self, arrived: int) -> None:
        """Raise `NothingArrived` if too few messages arrived in time."""
        if self.seconds is not None and arrived < (self.count or 1):
            several = self.count is not None and self.count > 1
            what = f"{arrived or 'none'} of {self.count} messages" if several else "no message"
            raise NothingArrived(f"{what} arrived within {in_seconds(self.seconds)}")


class Sink(Protocol):
    """Handles deliveries, one after another, and acknowledges each once it has been handled."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        """Begin to handle a delivery; whether it counts. It waits for nothing beyond `ends` (monotonic seconds)."""
        ...

    def flush(self) -> None:
        """Write what is buffered, and acknowledge what has been handled by now."""
        ...

    def finish(self, ends: float = math.inf) -> None:
        """Wait until everything has been handled and acknowledged, or until `ends` (monotonic seconds)."""
        ...

    def check(self) -> None:
        """Raise what failed without ending the run, if anything did."""
        ...


def receive(
    events: Iterable[Delivery | Lost | Restored | Flush],
    sink: Sink,
    senders: SenderFilter,
    limits: Limits,
    connection_changed: Callable[[Lost | Restored], None],
) -> int:
    """Pass messages to the sink, and changes of the connection to the callback.

    Returns the number of messages that count when a limit is reached, or nothing more comes, and all of them have been
    handled. Raises what ends the connection, and what the sink raises.
    """
    ends = math.inf if limits.seconds is None else time.monotonic() + limits.seconds
    is_filtered = bool(senders)
    arrived = 0
    for event in events:
        if isinstance(event, Delivery):
            if time.monotonic() >= ends:  # the sink has waited for so long
                break
            if is_filtered and not senders.accepts(event.message.sender):
                event.ack()
                continue
            arrived += sink.take(event, ends)
            if arrived == limits.count:
                break
        elif isinstance(event, Flush):
            sink.flush()
            if time.monotonic() >= ends:
                break
        else:
            connection_changed(event)
    sink.finish(ends)
    return arrived
