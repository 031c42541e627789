"""Many messages of `pub`: from where they come to the report in the end."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aws_iot.cli.commands.pub.input import Given, Said, lines_of, repeated
from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import show_connection_event
from aws_iot.cli.ui.progress import Progress
from aws_iot.errors import AwsIotError, InvalidRoom, LocalError, ServiceRefused
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.messaging.topics import check_room
from aws_iot.publishing.checkpoint import Bookmark
from aws_iot.publishing.publisher import Stream

TOLD_REFUSALS = 20
"""So many messages that were not sent are named; all are counted."""

LOOK_EACH = 100
"""After so many messages at the latest it is looked how things stand."""

SAVE_SECONDS = 1.0
"""How often it is noted how far a stream came."""

Enter = Callable[[ExitStack, bool], list[Client]]
"""Signs in and connects; what it opens is closed with the stack. The second says whether somebody may be asked."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be said, and how: as the options say, and with `one` payload where there is one."""

    given: Given
    one: bytes | None
    pool: str
    qos: int
    retain: bool
    rate: float

    @property
    def word(self) -> str:
        """What is counted in the input, blank ones too."""
        return "line" if self.given.is_stream else "message"

    def messages(self) -> Iterator[Said]:
        """All that the input holds."""
        if self.given.is_stream:
            found = lines_of(self.given)
        elif self.one is not None:
            found = repeated(self.given, self.one)
        else:
            return
        for number, room, payload in found:
            yield number, room, self._or_why_not(room, payload)

    def _or_why_not(self, room: str, payload: bytes | AwsIotError | None) -> bytes | AwsIotError | None:
        """The payload, or why it cannot be said in this room."""
        if isinstance(payload, bytes):
            try:
                check_room(self.pool, room)
            except InvalidRoom as error:
                return error
        return payload

    def outgoing(self, stream: str, number: int, room: str, payload: bytes) -> Outgoing:
        """The message of that number; the ids of all begin with `stream`."""
        return Outgoing(room, payload, f"{stream}-{number}", self.qos, self.retain)


class Account:
    """What is told of many messages: how far they are, which are refused, and what came of all."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._progress = Progress()
        self._began = time.monotonic()
        self.refused = 0

    def begin(self) -> None:
        """The sending begins."""
        self._began = time.monotonic()

    def stream(
        self,
        places: Sequence[Client],
        on_refused: Callable[[int, Outgoing | None, AwsIotError], None],
        on_look: Callable[[], None],
        on_acknowledged: Callable[[str], None] | None = None,
        on_link: Callable[[Lost | Restored], None] = lambda _: None,
    ) -> Stream:
        """A stream over these connections, which tells of itself here as well."""

        def look() -> None:
            self._progress.show(f"{stream.tally.sent:,} sent, {stream.tally.acknowledged:,} acknowledged")
            on_look()

        def told(event: Lost | Restored) -> None:
            self._progress.clear()
            show_connection_event(event)
            on_link(event)

        stream = Stream(
            places,
            rate=self._wanted.rate,
            on_link=told,
            on_refused=on_refused,
            on_look=look,
            on_acknowledged=on_acknowledged,
        )
        return stream

    def tell_refused(self, number: int | None, error: AwsIotError) -> None:
        """This message of the input is not sent; None is one of another run."""
        self._progress.clear()
        self.refused += 1
        name = "A message that was kept" if number is None else f"{self._wanted.word.title()} {number:,}"
        if self.refused <= TOLD_REFUSALS:
            output.error(f"{name} is not sent: {error}")
        elif self.refused == TOLD_REFUSALS + 1:
            output.error("More of the messages are not sent; they are counted.")

    def tell_broken_off(self, stream: Stream, *more: str) -> None:
        """It ends before its time."""
        self._progress.clear()
        came = f"{stream.tally.acknowledged:,} of the {stream.tally.sent:,} messages sent are acknowledged"
        broken_off = [f"Broken off: {came}{self._refusals()}."] if stream.tally.sent else []
        for line in (*broken_off, *more):
            output.info(line)

    def report(self, stream: Stream, *more: str) -> None:
        """What came of all. Raises `ServiceRefused` if not all was sent."""
        self._progress.clear()
        seconds, acknowledged = time.monotonic() - self._began, stream.tally.acknowledged
        done = "left" if self._wanted.qos == 0 else "acknowledged"
        pace = f"{acknowledged / seconds:,.0f} a second" if seconds else "at once"
        total = counted(acknowledged + self.refused)
        came = f"{acknowledged:,} of {total} {done} in {seconds:.1f} s: {pace}{self._refusals()}."
        output.info(" ".join((came, *more)))
        self.check()

    def check(self) -> None:
        """Raises `ServiceRefused` if not all was sent."""
        if self.refused:
            raise ServiceRefused(f"{counted(self.refused)} not sent")

    def _refusals(self) -> str:
        return f"; {self.refused:,} refused" if self.refused else ""


class Job:
    """One run of `pub`, noting in a file how far it comes, if one is given."""

    def __init__(self, wanted: Wanted, resume: Path | None) -> None:
        self._wanted = wanted
        self._account = Account(wanted)
        self._bookmark = Bookmark(resume, wanted.word) if resume else None
        self._stream_id = os.urandom(8).hex()
        self._next_save = 0.0

    def run(self, enter: Enter) -> None:
        """Send all, and say what came of it. Raises `ServiceRefused` if not all could be sent."""
        with ExitStack() as stack:
            if self._bookmark:
                stack.enter_context(self._bookmark.of(self._stream_id, self._wanted.given.room))
                self._stream_id = self._bookmark.stream
            places = enter(stack, True)
            self._stream = self._account.stream(places, self._tell_refused, self._look)
            self._account.begin()
            try:
                self._send()
            except BaseException as error:
                self._note()
                goes_on = self._bookmark and not isinstance(error, LocalError)
                more = ["The same command goes on from there."] if goes_on else []
                self._account.tell_broken_off(self._stream, *more)
                raise
            self._note()
            more = [self._finished(self._bookmark)] if self._bookmark else []
        self._account.report(self._stream, *more)

    def _send(self) -> None:
        place = 0
        for number, room, payload in self._messages():
            if not number:
                self._stream.look()
                continue
            place += 1
            if not place % LOOK_EACH:
                self._stream.look()
            if isinstance(payload, AwsIotError):
                self._stream.refuse(place, payload)
            elif payload is None:
                self._stream.pass_over(place)
            else:
                self._stream.put(place, self._wanted.outgoing(self._stream_id, number, room, payload))
        self._stream.finish()

    def _messages(self) -> Iterator[Said]:
        """What is to be sent: not what an earlier run has sent."""
        bookmark, last = self._bookmark, 0
        if bookmark is None:
            yield from self._wanted.messages()
            return
        again: list[Said] = []
        for said in self._wanted.messages():
            number, room, payload = said
            last = number or last
            if not number:
                yield said
            elif bookmark.wants(number, room, None if isinstance(payload, AwsIotError) else payload or b""):
                again.append(said)
            if last >= bookmark.skipped:  # else it may be another input still
                yield from again
                again = []
        bookmark.check_end(last)

    def _tell_refused(self, place: int, _: Outgoing | None, error: AwsIotError) -> None:
        number = place
        if self._bookmark:
            number = self._bookmark.number(place)
            self._bookmark.refuse(number)
        self._account.tell_refused(number, error)

    def _look(self) -> None:
        if time.monotonic() >= self._next_save:
            self._next_save = time.monotonic() + SAVE_SECONDS
            self._note()

    def _note(self) -> None:
        self._stream.tell()
        if self._bookmark:
            self._bookmark.note(self._stream.told)

    def _finished(self, bookmark: Bookmark) -> str:
        if bookmark.finish():
            return f"{bookmark.path} is removed."
        return f"The same command tries what was refused once more; {bookmark.path} knows which."


def counted(messages: int) -> str:
    """So many messages, in words."""
    return f"{messages:,} message{'' if messages == 1 else 's'}"
