"""Waiting for work that may never end: always with a deadline, always interruptible by Ctrl-C."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

from aws_iot.errors import Unreachable

T = TypeVar("T")

POLL_SECONDS = 0.25
"""Waits are cut into slices, since on Windows Ctrl-C does not interrupt one."""


def within(seconds: float, work: Callable[[], T], late: str) -> T:
    """What `work` returns or raises; it runs on a thread of its own, and is left to itself once it is late.

    Time limits of sockets hold for each read, and looking up a name has none: neither bounds a whole
    call. Raises `Unreachable` with the words `late`.
    """
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
    """Wait until one of the futures is settled, `seconds` at most; whether one is."""
    deadline = time.monotonic() + seconds
    while not any(future.done() for future in futures) and (left := deadline - time.monotonic()) > 0:
        wait(futures, timeout=min(left, POLL_SECONDS), return_when=FIRST_COMPLETED)
    return any(future.done() for future in futures)
