"""SpoolSender: saves an input in the spool, and sends everything in it unless another program does."""

import math
import os
import time
from collections.abc import Callable

from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import NotAccepted, SignInRefused
from aws_iot.publishing.publisher import Connect
from aws_iot.publishing.rejections import Rejections
from aws_iot.publishing.reporter import OthersWaiting, PublishReporter, SavingForNextRun, Unsent
from aws_iot.publishing.request import PublishRequest
from aws_iot.publishing.spool.follower import SpoolFollower
from aws_iot.publishing.spool.leader import SpoolLeader
from aws_iot.publishing.spool.reader import SpoolReader
from aws_iot.publishing.spool.run import SpoolRun
from aws_iot.publishing.spool.store import Spool


class SpoolSender:
    """One run with a spool. Of several programs that use it at once, one leads and sends; the others follow."""

    def __init__(
        self,
        request: PublishRequest,
        open_spool: Callable[[], Spool],
        reporter: PublishReporter,
        *,
        timeout: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` is in seconds: how long to wait without progress when the input has ended."""
        self._request = request
        self._open_spool = open_spool
        self._report = reporter
        self._timeout = timeout
        self._pause = pause

    def run(self, connect: Connect) -> None:
        """Send all messages in the spool and in the input. What is not sent stays in the spool.

        Raises `Unreachable` if messages could only be saved, what else ends the connection, and an error as in
        `Rejections.check` if messages were rejected.
        """
        stream = os.urandom(8).hex()
        reader = SpoolReader(self._request, stream, self._open_spool)
        rejections = Rejections(self._report)
        with self._open_spool() as spool:
            for others in spool.others():
                self._report(OthersWaiting(*others))
            run = SpoolRun(
                self._request, stream, spool, reader, rejections, self._report, self._timeout, self._pause
            )
            try:
                self._read_and_send(run, connect)
            except BaseException:  # SIGTERM, too
                reader.stop()
                if unsent := spool.count():
                    self._report(Unsent(unsent))
                raise

    def _read_and_send(self, run: SpoolRun, connect: Connect) -> None:
        if run.request.is_single:
            run.reader.read()  # before signing in and connecting, which may take long or be interrupted
            run.reader.check()
        elif not run.request.is_interactive:
            run.reader.start()  # what is in a pipe is lost if this program is ended before reading it
        try:
            self._lead_or_follow(run, connect)
        except (SignInRefused, NotAccepted) as error:
            # Trying again needs a person. The input is saved all the same, and another program may lead now.
            if run.reader.has_started and not run.reader.is_finished:
                run.report(SavingForNextRun(error))
                run.read_for(math.inf)
            run.report_rejections()
            raise
        run.rejections.check()

    def _lead_or_follow(self, run: SpoolRun, connect: Connect) -> None:
        if self._lead(run, connect):
            return
        follower = SpoolFollower(run)
        follower.start()
        while not self._lead(run, connect):  # the leader may end at any time
            run.pause(POLL_SECONDS)
            if follower.is_done():
                return

    def _lead(self, run: SpoolRun, connect: Connect) -> bool:
        """Send everything, if no other program does; whether that was so."""
        with run.spool.sending() as is_leader:
            if is_leader:
                SpoolLeader(run).send(connect)
        return is_leader
