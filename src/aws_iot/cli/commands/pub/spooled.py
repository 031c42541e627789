"""`pub --spool`: what is said waits in a folder until a broker has acknowledged it."""

import os
import queue
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from aws_iot.app import App
from aws_iot.cli.commands.pub.job import Account, Enter, Wanted, counted
from aws_iot.cli.ui import output
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, LimitReached, ServiceRefused, SignInRefused, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.publisher import Stream
from aws_iot.publishing.spool import Spool

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
"""Between two attempts to connect where there was no connection to begin with."""

AHEAD = 10_000
"""So many messages may wait while they are sent; without a connection there is no limit but the disk."""


class SpooledJob:
    """One run of `pub` with a spool: it reads into the spool, and sends from there, unless another program does."""

    def __init__(
        self, app: App, wanted: Wanted, folder: Path, key: str, speaker: str | None, user: str | None
    ) -> None:
        """`speaker` is who says it, as far as that is known, and `user` who was named for it."""
        self._wanted = wanted
        self._folder = folder
        self._key = key
        self._user = user
        self._pause = app.pause
        self._timeout = app.timeout
        self._account = Account(wanted)
        self._stream_id = os.urandom(8).hex()
        self._open: Callable[[], Spool] = lambda: app.spool(folder, wanted.pool, speaker)
        self._reader = Reader(wanted, self._stream_id, self._open)
        self._acknowledged: deque[str] = deque()
        self._over_a_limit: list[str] = []
        self._lost_at: float | None = None

    def run(self, enter: Enter) -> None:
        """Send all that waits and all that is said, and say what came of it.

        Raises `ServiceRefused` if not all could be sent, and `Unreachable` where what is said could only be kept.
        """
        with self._open() as self._spool:
            self._tell_of_others()
            if self._wanted.one is not None and self._wanted.given.repeat == 1:
                self._reader.run()  # first of all: to sign in and connect may take long, and be broken off
                self._reader.check()
            elif not self._wanted.given.is_typed:
                self._reader.begin()  # what waits in a pipe is nobody's if we are ended before we have read it
            try:
                self._settle(enter)
            except BaseException as error:  # SIGTERM, too
                self._reader.stop()
                if (waits := self._what_waits()) and isinstance(error, AwsIotError):
                    error.hint = "\n".join(filter(None, (error.hint, waits)))
                elif waits:
                    output.info(waits)
                raise

    def _settle(self, enter: Enter) -> None:
        try:
            if not self._sent_by_us(enter):
                self._wait_for_another(enter)
        except _NobodyIn as refused:  # others may send now; what is said here is kept all the same
            while not self._reader.has_ended:
                self._pause(POLL_SECONDS)
                self._tell_refusals()
            self._tell_refusals()
            raise refused.error from None

    # -- sending

    def _sent_by_us(self, enter: Enter) -> bool:
        """Whether nobody else sends; then all is settled."""
        with self._spool.sending() as alone:
            if alone:
                with ExitStack() as stack:
                    stream = self._send(self._connected(enter, stack))
                self._tell_refusals()
                self._account.report(stream, *self._over_a_limit)
        return alone

    def _connected(self, enter: Enter, stack: ExitStack) -> list[Client]:
        """Connections, as soon as there are some; what is said meanwhile is kept.

        Raises why there are none when nothing more is to be said, or what else stands in the way. Who cannot be
        signed in without being asked loses nothing meanwhile.
        """
        seconds, ask = FIRST_PAUSE_SECONDS, True
        while True:
            try:
                places = enter(stack, ask)
            except Unreachable as error:
                failure = error
                if ask and not self._reader.has_ended:
                    output.info(
                        f"{error}. What is said is kept in {self._folder} until there is a connection."
                    )
            except SignInRefused as error:
                if ask:
                    raise
                output.info(f"{error}. What is said is kept for the next run.")
                raise _NobodyIn(error) from error
            else:
                if not ask:
                    output.info("Connected: what was kept is sent now.")
                return places
            ask = False
            self._reader.begin()
            left = seconds
            while left > 0 and not self._reader.has_ended:
                self._pause(min(left, POLL_SECONDS))
                self._tell_refusals()
                left -= POLL_SECONDS
            if self._reader.has_ended:
                self._tell_refusals()
                raise failure
            seconds = min(1.5 * seconds, LONGEST_PAUSE_SECONDS)

    def _send(self, places: list[Client]) -> Stream:
        stream = self._account.stream(
            places, self._refused, self._look_on, self._acknowledged.append, self._note_link
        )
        self._reader.is_away = False
        self._reader.begin()
        self._account.begin()
        try:
            self._hand_over(stream)
        except BaseException:
            self._look()
            self._account.tell_broken_off(stream)
            raise
        self._look()
        return stream

    def _hand_over(self, stream: Stream) -> None:
        """Everything that waits, by whomever it is put there, until our own input has ended and is settled."""
        place, last, end = 0, 0, None
        while True:
            if end is None and self._reader.has_ended:
                end = self._spool.last()
            batch = self._spool.waiting(last, end)
            for number, message in batch:
                place, last = place + 1, number
                stream.put(place, message)
                self._reader.sent = number
            if not batch and end is not None:
                break
            if not batch:
                stream.look()
                self._reader.wait(POLL_SECONDS)
        stream.finish()

    def _refused(self, place: int, message: Outgoing | None, error: AwsIotError) -> None:
        if message is None:
            raise AssertionError(f"nothing is refused here before it is sent, and {place} was")
        stream, _, line = message.id.rpartition("-")
        is_ours = stream == self._stream_id
        if isinstance(error, LimitReached):
            self._over_a_limit = [f"What exceeded a limit waits in {self._folder} for the next run."]
        elif is_ours:
            self._spool.remove([message.id])
        else:
            self._spool.refuse(message.id, str(error))
        self._account.tell_refused(int(line) if is_ours else None, error)

    def _look(self) -> None:
        if arrived := list(self._acknowledged):
            self._spool.remove(arrived)
            for _ in arrived:  # only now: it may be broken off at any moment
                self._acknowledged.popleft()
        self._tell_refusals()

    def _look_on(self) -> None:
        """As `_look`; raises `Unreachable` where nothing more is said, and only a lost connection is waited for."""
        self._look()
        away = time.monotonic() - self._lost_at if self._lost_at else 0.0
        if self._reader.has_ended and away > self._timeout:
            raise Unreachable(f"the connection has been lost for {self._timeout:g} seconds")

    def _note_link(self, event: Lost | Restored) -> None:
        self._reader.is_away = isinstance(event, Lost)
        self._lost_at = (self._lost_at or time.monotonic()) if isinstance(event, Lost) else None

    # -- leaving it to another

    def _wait_for_another(self, enter: Enter) -> None:
        """Another program sends: what is ours as well. If it ends before, we do."""
        says_something = self._wanted.given.says_something
        output.info(
            f"Another program sends what waits in {self._folder}{', and this as well' if says_something else ''}."
        )
        self._reader.begin()
        wanted = self._stream_id if says_something else ""
        before, since = (-1, -1), time.monotonic()
        while not self._sent_by_us(enter):
            self._pause(POLL_SECONDS)
            self._tell_refusals()
            ended, left = self._reader.has_ended, (self._spool.count(wanted), self._spool.first())
            if ended and not left[0]:
                self._tell_refusals()
                output.info("The other program has sent it.")
                self._account.check()
                return
            if not ended or left != before:
                before, since = left, time.monotonic()
            elif time.monotonic() - since > self._timeout:
                raise Unreachable(
                    f"the program that sends what waits in {self._folder} has sent nothing"
                    f" for {self._timeout:g} seconds"
                )

    # -- words

    def _tell_refusals(self) -> None:
        """What the reader could not keep, and what another program was refused; raises why no more can be read."""
        for number, error in self._reader.refusals():
            self._account.tell_refused(number, error)
        for message_id, why in self._spool.refused(self._stream_id):
            self._account.tell_refused(int(message_id.rpartition("-")[2]), ServiceRefused(why))
        self._reader.check()

    def _tell_of_others(self) -> None:
        for pool, speaker, messages in self._spool.others():
            whose = f"for the identity pool {pool}" if pool != self._wanted.pool else f"of '{speaker}'"
            output.info(f"In {self._folder} there is more, which stays there: {counted(messages)} {whose}.")

    def _what_waits(self) -> str | None:
        waiting = self._spool.count()
        if not waiting:
            return None
        who = f" -u {shlex.quote(self._user)}" if self._user else ""
        command = f"aws-iot pub --spool {shlex.quote(str(self._folder))}{who} -k {shlex.quote(self._key)}"
        return f"Kept, and still to be sent: {counted(waiting)}. Send them with: {command}"


class _NobodyIn(Exception):
    """Who was to speak cannot be signed in any more without being asked."""

    def __init__(self, error: SignInRefused) -> None:
        super().__init__(str(error))
        self.error = error


class Reader:
    """Puts what is said into the spool, on a thread: whatever becomes of connections, nobody waits to say it."""

    def __init__(
        self, wanted: Wanted, stream: str, spool: Callable[[], Spool], ahead: int = AHEAD, each: int = 1000
    ) -> None:
        """It pauses with more than `ahead` messages to be sent, and looks after `each`."""
        self._wanted = wanted
        self._stream = stream
        self._spool = spool
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._refusals: queue.SimpleQueue[tuple[int, AwsIotError]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._arrived = threading.Event()
        self._error: BaseException | None = None
        self._ahead = ahead
        self._each = each
        self.sent = 0
        """The number in the spool up to which all has left at least once."""
        self.has_ended = False
        """Whether all that is said is in the spool, or why it is not will be raised."""
        self.is_away = True
        """Whether there is no connection, so that it waits for none."""

    def begin(self) -> None:
        """Read on a thread, unless all is read, or it is under way."""
        if not self.has_ended and self._thread.ident is None:
            self._thread.start()

    def run(self) -> None:
        """Read until the input ends."""
        try:
            with self._spool() as spool:
                for number, room, payload in self._wanted.messages():
                    if isinstance(payload, AwsIotError):
                        self._refusals.put((number, payload))
                    elif payload is not None:
                        spool.add(self._wanted.outgoing(self._stream, number, room, payload))
                        self._arrived.set()
                    while number % self._each == 0 and self._has_enough(spool):
                        time.sleep(POLL_SECONDS)
                    if self._stopping.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 raised where it is looked for
            self._error = error
        finally:
            self.has_ended = True
            self._arrived.set()

    def _has_enough(self, spool: Spool) -> bool:
        is_wanted = not (self.is_away or self._stopping.is_set())
        return is_wanted and spool.count(after=self.sent) > self._ahead

    def wait(self, seconds: float) -> None:
        """Return when something has been put into the spool since the last time, at once if it was."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def refusals(self) -> list[tuple[int, AwsIotError]]:
        """What cannot be sent at all: numbers and why, each once."""
        found = []
        while not self._refusals.empty():
            found.append(self._refusals.get())
        return found

    def check(self) -> None:
        """Raises what has ended the reading before its time, once."""
        error, self._error = self._error, None
        if error:
            raise error

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * POLL_SECONDS)
