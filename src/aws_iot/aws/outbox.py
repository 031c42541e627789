"""Publications that wait for their acknowledgement."""

import threading
from itertools import count

from aws_iot.aws.reasons import topic_refused
from aws_iot.connection import Done
from aws_iot.errors import AwsIotError, NotAuthorized

CUTS_THAT_REFUSE = 2
"""So many links in a row that end without a single acknowledgement mean that the oldest publication is refused."""


class Outbox:
    """What was handed over and is not settled yet, oldest first. Any thread may call.

    AWS IoT Core can refuse a publication by closing the link, and awscrt sends it again on the next one,
    for ever: see `cut`.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[str, Done]] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self._progressed = False
        self._futile_cuts = 0

    def add(self, topic: str, done: Done) -> int:
        """The number under which it is settled."""
        number = next(self._numbers)
        self._waiting[number] = (topic, done)
        return number

    def settle(self, number: int, error: AwsIotError | None) -> None:
        """Tell what became of one; only the first word on it counts."""
        self._progressed = True
        _, done = self._waiting.pop(number, (None, None))
        if done:
            done(error)

    def cut(self) -> str | None:
        """The link has ended: the topic of the oldest publication, if that seems to be why."""
        with self._lock:
            self._futile_cuts = 0 if self._progressed or not self._waiting else self._futile_cuts + 1
            self._progressed = False
            if self._futile_cuts < CUTS_THAT_REFUSE:
                return None
            return next(iter(self._waiting.values()))[0]

    def fail(self, error: AwsIotError) -> None:
        """The connection has ended for good: tell all that wait."""
        while self._waiting:
            try:
                _, (topic, done) = self._waiting.popitem()
            except KeyError:  # settled at this moment
                return
            done(topic_refused(f"publish to {topic}") if type(error) is NotAuthorized else error)
