"""When to try to connect again: pure arithmetic, without a clock, threads or chance.

AWS IoT Core allows one CONNECT a second for a client ID. There are two kinds of failure:

- An attempt that got far enough to send a signed request counts as a CONNECT. The pause after it grows with the outage.
- An attempt that reached no server costs AWS nothing. It is repeated about once a second, however long the outage,
  so that a laptop is back soon after its network is.
"""

from typing import NamedTuple, Self

CONNECT_SECONDS = 1.0
"""Minimum time between two CONNECTs of one client ID: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

FIRST_SPREAD_SECONDS = 0.3
"""The first attempt after a loss is made within this time, so that not all clients of a broker return at once."""

UNREACHED_SECONDS = 0.5
"""Minimum pause after an attempt that reached no server; the maximum is twice as long."""

PAUSE_PER_SECOND_AWAY = 0.25
"""After an outage of 8 seconds the pause is 2 seconds, before `SPREAD`."""

LONGEST_PAUSE_SECONDS = 30.0

SPREAD = 0.2
"""A pause may be longer by this share of itself, at random."""


def backoff(away: float) -> float:
    """Seconds between two CONNECTs, after an outage of `away` seconds."""
    return min(LONGEST_PAUSE_SECONDS, max(CONNECT_SECONDS, away * PAUSE_PER_SECOND_AWAY))


class Window(NamedTuple):
    """When an attempt may start, by the monotonic clock. The adapter picks a moment in between at random."""

    earliest: float
    latest: float


class ReconnectSchedule(NamedTuple):
    """What the next attempt depends on. Times are of the monotonic clock, in seconds."""

    last_connect: float | None = None
    """When the last signed request left: an attempt may begin seconds earlier, if credentials have to be refreshed."""
    away_since: float | None = None
    """When the outage began, which is when the first attempt after a useful connection was planned."""

    def connected_usefully(self) -> Self:
        """The last connection did something, so pauses start from the shortest again."""
        return self._replace(away_since=None)

    def signed(self, now: float) -> Self:
        """A signed request leaves now."""
        return self._replace(last_connect=now)

    def soonest(self, now: float) -> float:
        """When the next CONNECT may be sent."""
        return now if self.last_connect is None else max(now, self.last_connect + CONNECT_SECONDS)

    def next_attempt(self, now: float, *, reached_server: bool) -> tuple[Self, Window]:
        """Plan an attempt. `reached_server` tells whether the last one got as far as a signed request."""
        if self.away_since is None:
            planned, window = self._replace(away_since=now), Window(now, now + FIRST_SPREAD_SECONDS)
        elif not reached_server or self.last_connect is None:
            planned, window = self, Window(now + UNREACHED_SECONDS, now + 2 * UNREACHED_SECONDS)
        else:
            pause = backoff(now - self.away_since)
            planned = self
            window = Window(self.last_connect + pause, self.last_connect + pause * (1 + SPREAD))
        floor = self.soonest(now)
        return planned, Window(max(floor, window.earliest), max(floor, window.latest))
