"""What the person who runs the local stack must know, from the thread of the services to the command."""

from queue import Empty, SimpleQueue

_notices: SimpleQueue[str] = SimpleQueue()


def add(text: str) -> None:
    """Leave a notice. It may be called on any thread."""
    _notices.put(text)


def take() -> list[str]:
    """The notices since the last call."""
    taken = []
    while True:
        try:
            taken.append(_notices.get_nowait())
        except Empty:
            return taken
