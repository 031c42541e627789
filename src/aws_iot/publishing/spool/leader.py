"""SpoolLeader: the only program that sends a user's messages from the spool."""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from aws_iot.backoff import Backoff
from aws_iot.deadline import POLL_SECONDS, in_seconds
from aws_iot.errors import AwsIotError, LimitReached, LocalError, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.publisher import Callbacks, Connect, Publisher
from aws_iot.publishing.reporter import (
    Connected,
    Finished,
    Interrupted,
    Progress,
    SavingUntilConnected,
)
from aws_iot.publishing.spool.run import SpoolRun, number_of

CONNECT_BACKOFF = Backoff(first=2.0, factor=1.5, maximum=30.0)


class SpoolLeader:
    """Sends all messages of the user in the spool, whichever program added them.

    It ends when the input has ended, and all messages that were in the spool then are settled.
    """

    def __init__(self, run: SpoolRun) -> None:
        self._run = run
        self._acknowledged: deque[str] = deque()  # IDs of acknowledged messages that are still in the spool
        self._over_limit = False
        self._lost_at: float | None = None

    def send(self, connect: Connect) -> None:
        """Connect, send, and report the result.

        Raises what ends the connection, and `Unreachable` if the input has ended and there is no connection for the
        timeout of the run.
        """
        run = self._run
        with ExitStack() as stack:
            clients = self._connected(connect, stack)
            callbacks = Callbacks(
                self._rejected,
                self._connection_changed,
                self._polled,
                self._acknowledged.append,
                may_give_up=lambda: run.reader.is_finished,  # until then, the spool takes the input in
            )
            self._publisher = Publisher(clients, callbacks, rate=run.request.rate)
            run.reader.backlog.connected()
            run.reader.start()
            began = time.monotonic()
            try:
                self._send_all()
            except BaseException:
                self._update_spool()
                stats, rejected = self._publisher.stats, run.rejections.count
                run.report(Interrupted(stats.sent, stats.acknowledged, rejected))
                raise
            self._update_spool()
        run.report_rejections()
        with suppress(LocalError):  # another program may be writing
            run.spool.compact()
        acknowledged, seconds = self._publisher.stats.acknowledged, time.monotonic() - began
        run.report(Finished(acknowledged, run.rejections.count, seconds, over_limit=self._over_limit))

    def _connected(self, connect: Connect, stack: ExitStack) -> Sequence[Client]:
        """A client for each connection, once there are some; the reader saves the input until then.

        Raises what the last attempt raised when the input has ended.
        """
        run = self._run
        may_ask = True
        for delay in CONNECT_BACKOFF:
            try:
                clients = stack.enter_context(connect(may_ask))
            except Unreachable as error:
                failure = error
                if not run.reader.is_finished:
                    run.report(SavingUntilConnected(error, again=not may_ask))
            else:
                if not may_ask:
                    run.report(Connected())
                return clients
            may_ask = False
            run.reader.start()
            run.read_for(delay)
            if run.reader.is_finished:
                run.report_rejections()
                raise failure
        raise AssertionError("the delays have no end")

    def _send_all(self) -> None:
        run, position, last, end = self._run, 0, 0, None
        while True:
            if end is None and run.reader.is_finished:
                end = run.spool.last()
            batch = run.spool.unsent(last, end)
            for number, message in batch:
                position, last = position + 1, number
                self._publisher.publish(position, message)
                run.reader.backlog.sent_up_to(number)
            if not batch and end is not None:
                break
            if not batch:
                self._publisher.poll()
                run.reader.wait(POLL_SECONDS)
        self._publisher.finish()

    def _rejected(self, position: int, message: Outgoing | None, error: AwsIotError) -> None:
        if message is None:
            raise AssertionError(f"every message in the spool can be sent, but {position} could not")
        run = self._run
        is_ours = message.id.rpartition("-")[0] == run.stream
        if isinstance(error, LimitReached):
            self._over_limit = True  # it stays in the spool: the next run may succeed
        elif is_ours:
            run.spool.remove([message.id])
        else:
            run.spool.reject(message.id, error)
        run.rejections.add(number_of(message.id) if is_ours else None, error)

    def _connection_changed(self, event: Lost | Restored) -> None:
        self._run.report(event)
        if isinstance(event, Lost):
            self._run.reader.backlog.disconnected()
            self._lost_at = self._lost_at or time.monotonic()
        else:
            self._run.reader.backlog.connected()
            self._lost_at = None

    def _polled(self) -> None:
        stats = self._publisher.stats
        self._run.report(Progress(stats.sent, stats.acknowledged))
        self._update_spool()
        lost_for = time.monotonic() - self._lost_at if self._lost_at else 0.0
        if self._run.reader.is_finished and lost_for > self._run.timeout:
            raise Unreachable(f"the connection has been lost for {in_seconds(self._run.timeout)}")

    def _update_spool(self) -> None:
        """Remove acknowledged messages, and report new rejections."""
        if acknowledged := list(self._acknowledged):
            self._publisher.save_sent()  # first: after `remove`, no program knows them any more
            self._run.spool.remove(acknowledged)
            for _ in acknowledged:  # after `remove`: Ctrl-C may interrupt that
                self._acknowledged.popleft()
        self._run.report_rejections()
