"""What `pub` prints while it sends many messages, and at the end."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from aws_iot.cli.commands.pub.options import DeliveryOptions
from aws_iot.cli.commands.pub.wording import sent_line
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.cli.ui.connection_reporter import ConnectionReporter
from aws_iot.cli.ui.progress import ProgressLine
from aws_iot.errors import AwsIotError
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.publishing.reporter import (
    Connected,
    Event,
    Finished,
    Interrupted,
    OtherProgramFinished,
    OtherProgramSends,
    OthersWaiting,
    Progress,
    Rejected,
    SavingForNextRun,
    SavingUntilConnected,
    Unsent,
)
from aws_iot.publishing.request import PublishRequest

REJECTIONS_SHOWN = 20
"""The most rejected messages to print; the summary counts all of them."""


class PubReporter:
    """Prints to stderr. Rejected messages are errors; `--quiet` hides everything else."""

    def __init__(
        self,
        request: PublishRequest,
        delivery: DeliveryOptions,
        key: str,
        user: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`key` is of the profile, and `user` was given with -u. `clock` is in seconds."""
        self._request = request
        self._delivery = delivery
        self._key = key
        self._user = user
        self._progress = ProgressLine()
        self._connection = ConnectionReporter(clock=clock, begin_line=self._begin_line)
        self._rejected = 0
        self._unsent = 0
        self._is_interrupted = False

    @property
    def unit(self) -> str:
        """What the input counts, including blank lines."""
        return "line" if self._request.options.is_stream else "message"

    def __call__(self, event: Event, /) -> None:
        if isinstance(event, Progress):
            if not self._request.is_interactive:  # it would overwrite the line that the person types
                self._progress.show(f"{event.sent:,} sent, {event.acknowledged:,} acknowledged")
            self._connection.check()
            return
        self._progress.clear()
        match event:
            case Rejected():
                self._print_rejected(event)
            case Lost() | Restored():
                self._connection(event)
            case SavingUntilConnected():
                if not event.again:
                    self._info(
                        f"{event.error}. Messages are saved in {self._delivery.spool} until there is a connection."
                    )
                self._connection.lost(str(event.error))
            case Connected():
                self._connection.restored("Connected. Sending the saved messages.")
            case Interrupted():
                self._print_interrupted(event)
            case Finished():
                self._print_finished(event)
            case SavingForNextRun():  # also with --quiet: the input may go on for long
                self._begin_line()
                output.error(f"{event.error}. Messages are saved in {self._delivery.spool} for the next run.")
            case Unsent():
                self._unsent = event.messages
            case _:
                self._info(self._spool_line(event))

    def _info(self, line: str) -> None:
        """Print a status message while a person may be typing."""
        if not output.is_quiet():
            self._begin_line()
            output.info(line)

    def _begin_line(self) -> None:
        """Leave the line that a person is typing."""
        if self._request.is_interactive and sys.stderr.isatty():
            click.echo(err=True)

    def _print_rejected(self, event: Rejected) -> None:
        self._rejected += 1
        name = "A saved message" if event.number is None else f"{self.unit.title()} {event.number:,}"
        if self._rejected <= REJECTIONS_SHOWN + 1:
            self._begin_line()
        if self._rejected <= REJECTIONS_SHOWN:
            output.error(f"{name} was not sent: {event.error}", Role.ERROR)
        elif self._rejected == REJECTIONS_SHOWN + 1:
            output.error("More messages were not sent. From here on, they are only counted.")

    def _print_interrupted(self, event: Interrupted) -> None:
        self._is_interrupted = True
        output.break_line()
        if event.sent:
            acknowledged = f"{event.acknowledged:,} of {_counted(event.sent)} sent were acknowledged"
            output.info(f"Interrupted: {acknowledged}{_rejected(event.rejected)}.")
        if event.can_continue:
            output.info("To continue, run the same command again.")

    def _print_finished(self, event: Finished) -> None:
        if not (event.acknowledged or event.rejected or event.over_limit or self._delivery.resume):
            output.info("No messages to send.")
            return
        if self._sent_just_its_own(event):
            output.info(sent_line(self._request))
            return
        total = _counted(event.acknowledged + event.rejected)
        result = "acknowledged" if self._delivery.qos else "sent"
        rate = f" ({event.acknowledged / event.seconds:,.0f} a second)" if event.seconds else ""
        lines = [
            f"{event.acknowledged:,} of {total} {result} in {event.seconds:.1f} s{rate}{_rejected(event.rejected)}."
        ]
        if event.checkpoint_kept:
            lines.append(
                f"To retry the rejected messages, run the same command again: {self._delivery.resume} lists them."
            )
        elif self._delivery.resume:
            lines.append(f"Removed {self._delivery.resume}.")
        if event.over_limit:
            lines.append(f"Messages that exceeded a limit stay in {self._delivery.spool} for the next run.")
        output.info(" ".join(lines))

    def _sent_just_its_own(self, event: Finished) -> bool:
        """Whether the message of the command line was acknowledged, and there is nothing else to report."""
        is_alone = (event.acknowledged, event.rejected, event.over_limit) == (1, 0, 0)
        return is_alone and self._request.is_single and bool(self._request.qos and self._request.options.room)

    def _spool_line(self, event: OthersWaiting | OtherProgramSends | OtherProgramFinished) -> str:
        folder = self._delivery.spool
        match event:
            case OthersWaiting():
                if event.pool != self._request.pool:
                    owner = f"for the identity pool {event.pool}"
                else:
                    owner = f"from '{event.username}'"
                return f"{folder} also has {_counted(event.messages)} {owner}, which will stay there."
            case OtherProgramSends():
                yours = ", including yours" if self._request.options.has_messages else ""
                return f"Another program is sending the messages in {folder}{yours}."
            case OtherProgramFinished():
                return "The other program has finished sending."

    @contextmanager
    def hinting_at_unsent(self) -> Iterator[None]:
        """Add to an error how to send the messages that are left in the spool; print it if there is no error."""
        try:
            yield
        except BaseException as error:  # SIGTERM, too
            if self._unsent:
                user = f" -u {shlex.quote(self._user)}" if self._user else ""
                spool = shlex.quote(str(self._delivery.spool))
                hint = (
                    f"Saved but not sent: {_counted(self._unsent)}. To send:"
                    f" aws-iot pub --spool {spool}{user} -k {shlex.quote(self._key)}"
                )
                if isinstance(error, AwsIotError):
                    error.hint = "\n".join(filter(None, (error.hint, hint)))
                else:  # also with --quiet: nothing else tells that they wait
                    if not self._is_interrupted:
                        self._begin_line()
                    output.error(hint)
            raise


def _rejected(messages: int) -> str:
    return f"; {messages:,} rejected" if messages else ""


def _counted(messages: int) -> str:
    return f"{messages:,} message{'' if messages == 1 else 's'}"
