"""SpoolReader: saves the input in the spool, on its own thread, so that no lost connection holds the input up."""

import queue
import threading
from collections.abc import Callable

from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, LocalError
from aws_iot.publishing.input import InputLine, read_messages
from aws_iot.publishing.request import PublishRequest
from aws_iot.publishing.spool.store import Spool

MESSAGES_AHEAD = 10_000
"""How far the reader may be ahead of the sender. Without a connection, only the disk limits it."""

LINES_PER_CHECK = 1_000
"""How often the reader checks that."""


class SpoolReader:
    """Reads the input of a request into the spool. All methods but `read` belong to the thread that sends."""

    def __init__(
        self,
        request: PublishRequest,
        stream: str,
        open_spool: Callable[[], Spool],
        backlog: "Backlog | None" = None,
    ) -> None:
        """`stream` begins the messages' IDs."""
        self.backlog = backlog or Backlog()
        self._request = request
        self._stream = stream
        self._open_spool = open_spool
        self._thread = threading.Thread(target=self.read, daemon=True)
        self._rejections: queue.SimpleQueue[tuple[int, AwsIotError]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._arrived = threading.Event()
        self._error: BaseException | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the whole input is in the spool, or `check` will raise why it is not."""
        return self._finished.is_set()

    @property
    def has_started(self) -> bool:
        """Whether it reads on its thread, or has done so."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Read on a thread, unless that has started or finished already."""
        if not self.is_finished and not self.has_started:
            self._thread.start()

    def read(self) -> None:
        """Read the whole input on this thread. Errors are raised by `check`."""
        try:
            with self._open_spool() as spool:
                for line in read_messages(self._request):
                    if line:  # saved even after `stop`: the next run cannot read it from the input again
                        self._save(line, spool)
                    if self._stopping.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 `check` raises it on the other thread
            self._error = error
        finally:
            self._finished.set()
            self._arrived.set()

    def _save(self, line: InputLine, spool: Spool) -> None:
        number, room, payload = line
        if isinstance(payload, AwsIotError):
            self._rejections.put((number, payload))
        elif payload is not None:
            try:
                spool.add(self._request.outgoing(self._stream, number, room, payload))
            except LocalError as error:
                unit = "line" if self._request.options.is_stream else "message"
                raise LocalError(f"{error}; {unit} {number:,} of the input is not saved") from error
            self._arrived.set()
        while self.backlog.is_full(number, spool) and not self._stopping.is_set():
            self._stopping.wait(POLL_SECONDS)

    def wait(self, seconds: float) -> None:
        """Return when a message was added since the last call, or the input has ended; after `seconds` at most."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def take_rejections(self) -> list[tuple[int, AwsIotError]]:
        """The messages that cannot be sent at all: numbers and reasons, each returned only once."""
        found = []
        while not self._rejections.empty():
            found.append(self._rejections.get())
        return found

    def check(self) -> None:
        """Raise, only once, the error that ended the reading early."""
        error, self._error = self._error, None
        if error:
            raise error

    def stop(self) -> None:
        """Stop reading, as soon as the input gives a chance to."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * POLL_SECONDS)


class Backlog:
    """Holds the reader back while it is far ahead of the sender, but only while there is a connection.

    The sender calls every method except `is_full`.
    """

    def __init__(self, ahead: int = MESSAGES_AHEAD, lines_per_check: int = LINES_PER_CHECK) -> None:
        self._ahead = ahead
        self._lines_per_check = lines_per_check
        self._connected = threading.Event()
        self._sent = 0  # the spool's number of the last message that was sent at least once

    def connected(self) -> None:
        """There is a connection, so the reader may be held back."""
        self._connected.set()

    def disconnected(self) -> None:
        """There is no connection: the whole input is read and saved."""
        self._connected.clear()

    def sent_up_to(self, number: int) -> None:
        """Messages up to this number of the spool were sent at least once."""
        self._sent = number

    def is_full(self, line: int, spool: Spool) -> bool:
        """Whether the reader must wait after this line of the input."""
        if line % self._lines_per_check or not self._connected.is_set():
            return False
        return spool.count(after=self._sent) > self._ahead
