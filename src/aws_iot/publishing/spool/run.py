"""SpoolRun: what the leader, the follower and the sender of one run share."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_iot.deadline import POLL_SECONDS
from aws_iot.publishing.rejections import Rejections
from aws_iot.publishing.reporter import PublishReporter
from aws_iot.publishing.request import PublishRequest
from aws_iot.publishing.spool.reader import SpoolReader
from aws_iot.publishing.spool.store import Spool


@dataclass(frozen=True, slots=True)
class SpoolRun:
    """One run of a program with a spool.

    `stream` begins the IDs of its own messages. `timeout` is in seconds: how long to wait without progress when the
    input has ended. `pause` sleeps for a number of seconds.
    """

    request: PublishRequest
    stream: str
    spool: Spool
    reader: SpoolReader
    rejections: Rejections
    report: PublishReporter
    timeout: float
    pause: Callable[[float], None]

    def report_rejections(self) -> None:
        """Report our messages that could not be saved, or that another program sent in vain.

        Raises what ended the reading early.
        """
        for number, error in self.reader.take_rejections():
            self.rejections.add(number, error)
        for message_id, error in self.spool.take_rejections(self.stream):
            self.rejections.add(number_of(message_id), error)
        self.reader.check()

    def read_for(self, seconds: float) -> None:
        """Wait this long while the reader saves the input; shorter if the input ends."""
        while seconds > 0 and not self.reader.is_finished:
            self.pause(min(seconds, POLL_SECONDS))
            self.report_rejections()
            seconds -= POLL_SECONDS


def number_of(message_id: str) -> int:
    """The number in the input of one of our messages."""
    return int(message_id.rpartition("-")[2])
