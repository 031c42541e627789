"""InputSender: sends an input directly, without a spool; with a checkpoint, the next run continues it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack

from aws_iot.errors import AwsIotError, LocalError
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.checkpoint import Checkpoint
from aws_iot.publishing.input import InputLine, read_messages
from aws_iot.publishing.publisher import Callbacks, Connect, Publisher
from aws_iot.publishing.rejections import Rejections
from aws_iot.publishing.reporter import Finished, Interrupted, Progress, PublishReporter
from aws_iot.publishing.request import PublishRequest

LINES_PER_POLL = 100
"""The most lines to read before the connections are checked again; lines that are not sent count, too."""

SAVE_SECONDS = 1.0
"""How often the checkpoint is saved."""


class InputSender:
    """One run that sends the input of a request.

    A message's position counts from 1 among those to send. It differs from its number in the input if a checkpoint
    skips messages that an earlier run sent.
    """

    def __init__(
        self, request: PublishRequest, reporter: PublishReporter, checkpoint: Checkpoint | None = None
    ) -> None:
        self._request = request
        self._report = reporter
        self._checkpoint = checkpoint
        self._rejections = Rejections(reporter)
        self._stream = os.urandom(8).hex()
        self._next_save = 0.0

    def run(self, connect: Connect) -> None:
        """Send everything.

        Raises what ends the connection, `LocalError` for the input or the checkpoint, and an error as in
        `Rejections.check` if messages were rejected.
        """
        checkpoint = self._checkpoint
        with ExitStack() as stack:
            if checkpoint:
                stack.enter_context(checkpoint.open(self._stream, self._request.options.room))
                self._stream = checkpoint.stream
            clients = stack.enter_context(connect(True))
            callbacks = Callbacks(self._rejected, self._report, self._polled)
            self._publisher = Publisher(clients, callbacks, rate=self._request.rate)
            began = time.monotonic()
            try:
                self._send()
            except BaseException as error:
                self._save()
                can_continue = checkpoint is not None and not isinstance(error, LocalError)
                stats, rejected = self._publisher.stats, self._rejections.count
                self._report(Interrupted(stats.sent, stats.acknowledged, rejected, can_continue))
                raise
            self._save()
            checkpoint_kept = checkpoint is not None and not checkpoint.finish()
        acknowledged, seconds = self._publisher.stats.acknowledged, time.monotonic() - began
        self._report(Finished(acknowledged, self._rejections.count, seconds, checkpoint_kept))
        self._rejections.check()

    def _send(self) -> None:
        position = 0
        for line in self._wanted_lines():
            if line is None:
                self._publisher.poll()
                continue
            number, room, payload = line
            position += 1
            if not position % LINES_PER_POLL:
                self._publisher.poll()
            if isinstance(payload, AwsIotError):
                self._publisher.reject(position, payload)
            elif payload is None:
                self._publisher.skip(position)
            else:
                message = self._request.outgoing(self._stream, number, room, payload)
                self._publisher.publish(position, message)
        self._publisher.finish()

    def _wanted_lines(self) -> Iterator[InputLine | None]:
        """The lines of the input that no earlier run sent."""
        checkpoint, last = self._checkpoint, 0
        if checkpoint is None:
            yield from read_messages(self._request)
            return
        retried: list[InputLine] = []
        for line in read_messages(self._request):
            if line is None:
                yield line
                continue
            last, room, payload = line
            if checkpoint.wants(last, room, None if isinstance(payload, AwsIotError) else payload or b""):
                retried.append(line)
            if last >= checkpoint.skipped:  # until then, it may turn out to be another input
                yield from retried
                retried = []
        checkpoint.check_end(last)

    def _rejected(self, position: int, _: Outgoing | None, error: AwsIotError) -> None:
        number = position
        if self._checkpoint:
            number = self._checkpoint.number(position)
            self._checkpoint.reject(number)
        self._rejections.add(number, error)

    def _polled(self) -> None:
        stats = self._publisher.stats
        self._report(Progress(stats.sent, stats.acknowledged))
        if time.monotonic() >= self._next_save:
            self._next_save = time.monotonic() + SAVE_SECONDS
            self._save()

    def _save(self) -> None:
        self._publisher.report()
        if self._checkpoint:
            self._checkpoint.save(self._publisher.reported)
