"""Many messages of `pub`: from where they come to the report in the end."""

import os
import shlex
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.cli.input import Given, Said, lines_of, repeated
from aws_iot.cli.messages import tell_link
from aws_iot.cli.output import visible, words
from aws_iot.cli.progress import Progress
from aws_iot.connection import Lost, Restored
from aws_iot.errors import (
    AwsIotError,
    InvalidRoom,
    LimitReached,
    ProfileError,
    ServiceRefused,
    SignInRefused,
    Unreachable,
)
from aws_iot.profile import Profile
from aws_iot.room import Rooms, check_room
from aws_iot.stream import Bookmark, Note, Outgoing, Stream, fingerprint

TOLD_REFUSALS = 20
"""So many messages that were not sent are named; all are counted."""

SAVE_SECONDS = 1.0
"""How often it is noted how far a stream came."""


FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 30.0
"""Between two attempts to connect where there was no connection to begin with."""


Enter = Callable[[ExitStack, bool], list[Rooms]]
"""Signs in and connects; what it opens is closed with the stack. The second says whether somebody may be asked."""


ANOTHER_INPUT = "Give the input and the room that it was then, or remove the file that --resume names."


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
        self._word = "line" if given.is_stream else "message"  # what is counted in the input, blank ones too
        self._one = one
        self._qos = qos
        self._retain = retain
        self._rate = rate
        self._progress = Progress()
        self._bookmark = Bookmark(resume) if resume else None
        self._spool_folder = spool
        self._pool = profile.identity_pool_id
        self._key = profile.key
        self._pause = app.pause
        self._spool = app.spool(spool, self._pool) if spool else None
        self._acknowledged: deque[str] = deque()
        self._before = 0  # so many waited in the spool
        self._kept = 0  # up to this number, messages were put there since there was no connection
        self._told = 0
        self._next_save = 0.0
        self._note = (self._bookmark.load() if self._bookmark else None) or Note(
            os.urandom(8).hex(), 0, given.room, 0
        )
        if self._bookmark and self._note.room != given.room:
            raise ProfileError(
                f"{self._bookmark.path}: is about {_named(self._note.room)}, not {_named(given.room)}",
                hint=ANOTHER_INPUT,
            )
        self._skip = self._note.settled
        self._fingerprints = deque([(0, 0)])  # of the input up to each line that may be noted next

    def run(self, enter: Enter) -> None:
        """Send all, and say what came of it. Raises `ServiceRefused` if not all could be sent."""
        with ExitStack() as stack:
            if self._spool:
                stack.enter_context(self._spool)
            messages = self._messages()
            if self._spool and self._one is not None and self._given.repeat == 1:
                for said in messages:  # first of all: to sign in and connect may take long, and be broken off
                    self._keep_said(said)
            try:
                places = enter(stack, True)
            except Unreachable as error:
                if not self._spool:
                    raise
                places = self._keep_until_connected(error, messages, enter, stack)
            self._stream = Stream(
                places,
                rate=self._rate,
                on_link=self._tell_link,
                on_refused=self._tell_refused,
                on_look=self._look,
                on_acknowledged=self._acknowledged.append if self._spool else None,
            )
            began = time.monotonic()
            try:
                self._send(messages)
            except BaseException as error:
                self._settle()
                self._tell_broken_off(resumable=not isinstance(error, ProfileError))
                raise
            self._settle()
        self._report(time.monotonic() - began)

    def _send(self, messages: Iterator[Said]) -> None:
        self._stream.tally.refused = self._told
        if self._spool:
            self._before = self._spool.count()
            for place, row in enumerate(self._spool.waiting(), 1):
                self._stream.put(Outgoing(place, *row))
        for number, room, payload in messages:
            place = self._place_of(number)
            if isinstance(payload, AwsIotError):
                self._stream.refuse(Outgoing(place, room, b"", ""), payload)
            elif payload is not None:
                message = self._message(place, number, room, payload)
                self._keep(message)
                self._stream.put(message)
            elif number:
                self._stream.pass_over(place)
            else:
                self._stream.look()
        self._stream.finish()

    def _message(self, place: int, number: int, room: str, payload: bytes) -> Outgoing:
        return Outgoing(place, room, payload, f"{self._note.stream}-{number}", self._qos, self._retain)

    def _keep(self, message: Outgoing) -> None:
        if self._spool:
            self._spool.add(message.room, message.payload, message.id, message.qos, message.retain)

    def _keep_said(self, said: Said) -> None:
        """Put it into the spool, from where it is sent later."""
        number, room, payload = said
        if isinstance(payload, bytes):
            self._keep(self._message(number, number, room, payload))
        elif payload is not None:
            self._tell_refused(Outgoing(number, room, b"", ""), payload)
        self._kept = number or self._kept

    def _place_of(self, number: int) -> int:
        """Where in the stream the message of that number in the input is."""
        return number - self._skip - self._kept + self._before

    def _messages(self) -> Iterator[Said]:
        """What is to be sent, without what an earlier run has settled."""
        given = self._given
        if given.is_stream:
            messages = lines_of(given)
        elif self._one is not None:
            messages = repeated(given, self._one)
        else:
            return
        last = 0
        for number, room, payload in messages:
            last = number or last
            if number and self._bookmark:
                self._recognize(number, room, payload)
            if not number or number > self._skip:
                yield number, room, self._or_why_not(room, payload)
        if last < self._skip:
            raise ProfileError(
                f"this input ends at {self._word} {last:,}, and {self._skip:,} of it were sent before",
                hint=ANOTHER_INPUT,
            )

    def _recognize(self, number: int, room: str, payload: bytes | AwsIotError | None) -> None:
        """Note what was read; raises `ProfileError` if it is not what an earlier run has sent."""
        _, before = self._fingerprints[-1]
        now = fingerprint(before, room, payload if isinstance(payload, bytes) else b"")
        if self._bookmark and number == self._skip and now != self._note.fingerprint:
            raise ProfileError(
                f"{self._bookmark.path}: is about another input, up to {self._word} {number:,}",
                hint=ANOTHER_INPUT,
            )
        if number <= self._skip:
            self._fingerprints.clear()
        self._fingerprints.append((number, now))

    def _or_why_not(self, room: str, payload: bytes | AwsIotError | None) -> bytes | AwsIotError | None:
        """The payload, or why it cannot be said in this room."""
        if isinstance(payload, bytes):
            try:
                check_room(self._pool, room)
            except InvalidRoom as error:
                return error
        return payload

    def _keep_until_connected(
        self, error: AwsIotError, messages: Iterator[Said], enter: Enter, stack: ExitStack
    ) -> list[Rooms]:
        """There is no connection: what is to be said waits in the spool, as long as there is none.

        Raises why there is still none when nothing more is to be said, or what else ends it. Who cannot be signed in
        without being asked loses nothing meanwhile.
        """
        words(f"{error}. What is said is kept in {self._spool_folder} until there is a connection.")
        connected = _connected_some_time(lambda opened: enter(opened, False), self._pause)
        try:
            for said in messages:
                self._keep_said(said)
                if not connected.done() or error is connected.exception():
                    continue
                if isinstance(refused := connected.exception(), SignInRefused):
                    error = refused
                    words(f"{error}. What is said is kept for the next run.")
                else:
                    places, opened = connected.result()
                    stack.push(opened)
                    words("Connected: what was kept is sent now.")
                    return places
        except BaseException:  # SIGTERM, too
            if waits := self._what_waits():
                words(waits)
            raise
        finally:
            connected.cancel()
        error.hint = "\n".join(hint for hint in (error.hint, self._what_waits()) if hint)
        raise error

    def _what_waits(self) -> str | None:
        waiting = self._spool.count() if self._spool else 0
        if not waiting:
            return None
        command = f"aws-iot pub --spool {shlex.quote(str(self._spool_folder))} -k {shlex.quote(self._key)}"
        return f"Kept, and still to be sent: {counted(waiting)}. Send them with: {command}"

    def _look(self) -> None:
        tally = self._stream.tally
        self._progress.show(f"{tally.sent:,} sent, {tally.acknowledged:,} acknowledged")
        self._forget_acknowledged()
        if self._bookmark and time.monotonic() >= self._next_save:
            self._next_save = time.monotonic() + SAVE_SECONDS
            self._save(self._bookmark)

    def _forget_acknowledged(self) -> None:
        if self._spool and self._acknowledged:
            self._spool.remove([self._acknowledged.popleft() for _ in range(len(self._acknowledged))])

    def _settle(self) -> None:
        """Write down what is known, at the end or wherever it broke off."""
        self._progress.clear()
        self._forget_acknowledged()
        if self._bookmark:
            self._save(self._bookmark)

    def _save(self, bookmark: Bookmark) -> None:
        """Note how far it came, if it has come to where it was before."""
        settled = self._skip + self._stream.tally.settled
        while len(self._fingerprints) > 1 and self._fingerprints[0][0] < settled:
            self._fingerprints.popleft()
        number, now = self._fingerprints[0]
        if number == settled:
            bookmark.save(replace(self._note, settled=settled, fingerprint=now))

    def _tell_link(self, event: Lost | Restored) -> None:
        self._progress.clear()
        tell_link(event)

    def _tell_refused(self, message: Outgoing, error: AwsIotError) -> None:
        if self._spool and message.id and not isinstance(error, LimitReached):
            self._acknowledged.append(message.id)  # as settled: it would be refused again by every run
        number = message.number + self._skip + self._kept - self._before
        name = (
            f"{self._word.title()} {number:,}"
            if number > self._skip + self._kept
            else "A message that was kept"
        )
        self._progress.clear()
        self._told += 1
        if self._told <= TOLD_REFUSALS:
            click.echo(f"{name} is not sent: {visible(str(error))}", err=True)
        elif self._told == TOLD_REFUSALS + 1:
            click.echo("More of the messages are not sent; they are counted.", err=True)

    def _tell_broken_off(self, *, resumable: bool) -> None:
        tally = self._stream.tally
        told = [
            f"Broken off: {tally.acknowledged:,} of the {tally.sent:,} messages sent are acknowledged{self._refused()}."
        ]
        if self._bookmark and resumable:
            told.append("The same command goes on from there.")
        if waits := self._what_waits():
            told.append(waits)
        for line in told:
            words(line)

    def _refused(self) -> str:
        refused = self._stream.tally.refused
        return f"; {refused:,} were refused" if refused else ""

    def _report(self, seconds: float) -> None:
        removed = ""
        if self._bookmark:
            self._bookmark.remove()
            removed = f" {self._bookmark.path} is removed."
        tally = self._stream.tally
        done = "left" if self._qos == 0 else "acknowledged"
        pace = f"{tally.acknowledged / seconds:,.0f} a second" if seconds else "at once"
        total = counted(tally.acknowledged + tally.refused)
        came = f"{tally.acknowledged:,} of {total} {done} in {seconds:.1f} s: {pace}"
        words(f"{came}{self._refused()}.{removed}")
        if tally.refused:
            raise ServiceRefused(f"{counted(tally.refused)} not sent")


def _connected_some_time(
    enter: Callable[[ExitStack], list[Rooms]], pause: Callable[[float], None]
) -> Future[tuple[list[Rooms], ExitStack]]:
    """What `enter` opens as soon as it can, tried again and again on a thread of its own."""
    found: Future[tuple[list[Rooms], ExitStack]] = Future()
    context = click.get_current_context()  # which says, for one, whether to be quiet

    def attempt() -> None:
        with context.scope(cleanup=False), ExitStack() as stack:
            places = enter(stack)
            if found.set_running_or_notify_cancel():
                found.set_result((places, stack.pop_all()))

    def attempts() -> None:
        seconds = FIRST_PAUSE_SECONDS
        while not found.done():
            pause(seconds)
            seconds = min(1.5 * seconds, LONGEST_PAUSE_SECONDS)
            try:
                attempt()
            except Unreachable:
                continue
            except BaseException as error:  # noqa: BLE001 raised where the result is taken
                if found.running() or found.set_running_or_notify_cancel():
                    found.set_exception(error)

    threading.Thread(target=attempts, daemon=True).start()
    return found


def _named(room: str | None) -> str:
    return "rooms that the lines name" if room is None else f"the room '{room}'"


def counted(messages: int) -> str:
    """So many messages, in words."""
    return f"{messages:,} message{'' if messages == 1 else 's'}"
