"""SpoolFollower: saves messages in the spool, and waits until the leader, another program, has sent them."""

import time

from aws_iot.deadline import in_seconds
from aws_iot.errors import Unreachable
from aws_iot.publishing.reporter import OtherProgramFinished, OtherProgramSends
from aws_iot.publishing.spool.run import SpoolRun


class SpoolFollower:
    """Waits for the leader to send the messages of this run, or all of the user's if this run has none."""

    def __init__(self, run: SpoolRun) -> None:
        self._run = run
        self._stream = run.stream if run.request.options.has_messages else ""
        self._progress = (-1, -1)
        self._progress_at = time.monotonic()

    def start(self) -> None:
        """Begin to save the input."""
        self._run.report(OtherProgramSends())
        self._run.reader.start()

    def is_done(self) -> bool:
        """Whether the input has ended and the leader has settled all of its messages.

        Raises `Unreachable` if the leader has settled nothing for the timeout of the run since the input ended.
        """
        run = self._run
        run.report_rejections()
        ended = run.reader.is_finished
        progress = run.spool.count(self._stream), run.spool.first()
        if ended and not progress[0]:
            run.report_rejections()
            run.report(OtherProgramFinished())
            return True
        if not ended or progress != self._progress:
            self._progress, self._progress_at = progress, time.monotonic()
        elif time.monotonic() - self._progress_at > run.timeout:
            raise Unreachable(
                f"the program that sends from {run.spool.folder} has sent nothing for {in_seconds(run.timeout)}"
            )
        return False
