"""Rejections: the messages that were not sent, and the error with which the run ends because of them."""

from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused
from aws_iot.publishing.reporter import PublishReporter, Rejected


class Rejections:
    """Reports each rejected message, and counts them."""

    def __init__(self, reporter: PublishReporter) -> None:
        self.count = 0
        self._report = reporter
        self._causes: set[type[AwsIotError]] = set()
        self._hints: set[str | None] = set()

    def add(self, number: int | None, error: AwsIotError) -> None:
        """Report that this message of the input was not sent; None means a saved message of another run."""
        self.count += 1
        self._causes.add(type(error))
        if len(self._hints) < 2:  # to know whether all are the same
            self._hints.add(error.hint)
        self._report(Rejected(number, error))

    def check(self) -> None:
        """Raises an error if any message was rejected.

        With one cause it is that cause's error, so that a stream has the exit code of a single message. With several
        causes it is `NotAuthorized` if any message was not authorized, else `ServiceRefused`.
        """
        if not self.count:
            return
        if len(self._causes) == 1:
            [kind] = self._causes
        else:
            kind = (
                NotAuthorized if any(issubclass(c, NotAuthorized) for c in self._causes) else ServiceRefused
            )
        [*hints] = self._hints
        messages = "1 message was" if self.count == 1 else f"{self.count:,} messages were"
        raise kind(f"{messages} not sent", hint=hints[0] if len(hints) == 1 else None)
