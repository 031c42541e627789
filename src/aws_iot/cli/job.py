"""Many messages of `pub`: from where they come to the report in the end."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.cli.input import Given, Said, lines_of, repeated
from aws_iot.cli.messages import tell_link
from aws_iot.cli.output import visible, words
from aws_iot.cli.progress import Progress
from aws_iot.connection import Lost, Restored
from aws_iot.errors import AwsIotError, ServiceRefused, Unreachable
from aws_iot.profile import Profile
from aws_iot.room import Rooms
from aws_iot.stream import Bookmark, Outgoing, Stream

TOLD_REFUSALS = 20
"""So many messages that were not sent are named; all are counted."""

SAVE_SECONDS = 1.0
"""How often it is noted how far a stream came."""


class Job:
    """One run of `pub`."""

    def __init__(
        self,
        app: App,
        profile: Profile,
        given: Given,
        one: bytes | None,
        qos: int,
        retain: bool,
        rate: float,
        resume: Path | None,
        spool: Path | None,
    ) -> None:
        self._given = given
        self._one = one
        self._qos = qos
        self._retain = retain
        self._rate = rate
        self._progress = Progress()
        self._bookmark = Bookmark(resume) if resume else None
        self._spool_folder = spool
        self._spool = app.spool(spool, profile.identity_pool_id) if spool else None
        self._acknowledged: deque[str] = deque()
        self._before = 0
        self._told = 0
        self._next_save = 0.0
        found = self._bookmark.load() if self._bookmark else None
        self._name, self._skip = found or (os.urandom(8).hex(), 0)

    def run(self, enter: Callable[[ExitStack], list[Rooms]]) -> None:
        """Send all, and say what came of it. Raises `ServiceRefused` if not all could be sent."""
        with ExitStack() as stack:
            if self._spool:
                stack.enter_context(self._spool)
            try:
                places = enter(stack)
            except Unreachable as error:
                self._keep_for_later(error)
                raise
            self._stream = Stream(
                places,
                rate=self._rate,
                qos=self._qos,
                retain=self._retain,
                on_link=self._tell_link,
                on_refused=self._tell_refused,
                on_look=self._look,
                on_acknowledged=self._acknowledged.append if self._spool else None,
            )
            began = time.monotonic()
            try:
                self._send()
            except BaseException:
                self._settle()
                self._tell_broken_off()
                raise
            self._settle()
        self._report(time.monotonic() - began)

    def _send(self) -> None:
        if self._spool:
            for row in self._spool.waiting():
                self._before += 1
                self._stream.put(Outgoing(self._before, *row))
        for number, room, payload in self._messages():
            place = self._place_of(number)
            if isinstance(payload, AwsIotError):
                self._stream.refuse(place, payload)
            elif payload is not None:
                message = Outgoing(place, room, payload, f"{self._name}-{number}")
                if self._spool:
                    self._spool.add(room, payload, message.id)
                self._stream.put(message)
            elif number:
                self._stream.pass_over(place)
            else:
                self._stream.look()
        self._stream.finish()

    def _place_of(self, number: int) -> int:
        """Where in the stream the message of that number in the input is."""
        return number - self._skip + self._before

    def _messages(self) -> Iterator[Said]:
        """What is to be sent, without what an earlier run has settled."""
        given = self._given
        if given.is_stream:
            messages = lines_of(given)
        elif self._one is not None:
            messages = repeated(given, self._one)
        else:
            return
        for number, room, payload in messages:
            if not number or number > self._skip:
                yield number, room, payload

    def _keep_for_later(self, error: Unreachable) -> None:
        """There is no connection: what is to be said waits in the spool."""
        if not self._spool:
            return
        for number, room, payload in self._messages():
            if isinstance(payload, bytes):
                self._spool.add(room, payload, f"{self._name}-{number}")
            elif payload is not None:
                self._tell_refused(self._place_of(number), payload)
        error.hint = self._what_waits()

    def _what_waits(self) -> str | None:
        waiting = self._spool.count() if self._spool else 0
        if not waiting:
            return None
        folder = self._spool_folder
        return f"{waiting:,} messages wait in {folder}: `aws-iot pub --spool {folder}` sends them."

    def _look(self) -> None:
        tally = self._stream.tally
        self._progress.show(f"{tally.sent:,} sent, {tally.acknowledged:,} acknowledged")
        self._forget_acknowledged()
        if self._bookmark and time.monotonic() >= self._next_save:
            self._next_save = time.monotonic() + SAVE_SECONDS
            self._bookmark.save(self._name, self._skip + tally.settled)

    def _forget_acknowledged(self) -> None:
        if self._spool and self._acknowledged:
            self._spool.remove([self._acknowledged.popleft() for _ in range(len(self._acknowledged))])

    def _settle(self) -> None:
        """Write down what is known, at the end or wherever it broke off."""
        self._progress.clear()
        self._forget_acknowledged()
        if self._bookmark:
            self._bookmark.save(self._name, self._skip + self._stream.tally.settled)

    def _tell_link(self, event: Lost | Restored) -> None:
        self._progress.clear()
        tell_link(event)

    def _tell_refused(self, place: int, error: AwsIotError) -> None:
        number = place + self._skip - self._before
        self._progress.clear()
        self._told += 1
        if self._told <= TOLD_REFUSALS:
            click.echo(f"Message {number:,} is not sent: {visible(str(error))}", err=True)
        elif self._told == TOLD_REFUSALS + 1:
            click.echo("More of the messages are not sent; they are counted.", err=True)

    def _tell_broken_off(self) -> None:
        tally = self._stream.tally
        told = [f"Broken off: {tally.acknowledged:,} of the {tally.sent:,} messages sent are acknowledged."]
        if self._bookmark:
            told.append("The same command goes on from there.")
        if waits := self._what_waits():
            told.append(waits)
        for line in told:
            words(line)

    def _report(self, seconds: float) -> None:
        if self._bookmark:
            self._bookmark.remove()
        tally = self._stream.tally
        done = "left" if self._qos == 0 else "acknowledged"
        pace = f"{tally.acknowledged / seconds:,.0f} a second" if seconds else "at once"
        words(f"{tally.acknowledged:,} of {tally.sent:,} messages {done} in {seconds:.1f} s: {pace}.")
        if tally.refused:
            raise ServiceRefused(f"{tally.refused:,} messages were not sent")
