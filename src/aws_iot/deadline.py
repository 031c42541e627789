"""Wait for work that may never end: always with a deadline, and Ctrl-C always interrupts."""

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aws_iot.errors import Unreachable

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

POLL_SECONDS = 0.25
"""How long a thread waits before it checks again. On Windows, Ctrl-C does not interrupt a single wait."""


def in_seconds(seconds: float) -> str:
    """A time as text, such as `1 second` or `2.5 seconds`."""
    return f"{seconds:g} {'second' if seconds == 1 else 'seconds'}"


def within(seconds: float, work: Callable[[], T], late: str) -> T:
    """Run `work` on a thread of its own, and return or raise what it does.

    Raises `Unreachable` with the message `late` after `seconds`; the thread is then left alone. The timeout of a socket
    holds for each read only, and looking up a name has none. Neither limits a whole call.
    """
    from concurrent.futures import Future  # here: `--help` need not wait for it

    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 raised where the result is taken
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not settled([done], seconds):
        raise Unreachable(late)
    return done.result()


def settled(futures: "list[Future[Any]]", seconds: float) -> bool:
    """Wait at most `seconds` until one of the futures is done; tells whether one is."""
    from concurrent.futures import FIRST_COMPLETED, wait

    deadline = time.monotonic() + seconds
    while not any(future.done() for future in futures) and (left := deadline - time.monotonic()) > 0:
        wait(futures, timeout=min(left, POLL_SECONDS), return_when=FIRST_COMPLETED)
    return any(future.done() for future in futures)
