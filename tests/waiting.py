"""How long tests wait. None of them measures how fast something is: other programs may need the machine, too."""

import time
from collections.abc import Callable

DEADLINE_SECONDS = 120.0
"""How long to wait for what must happen. Only a hang takes as long, even on a machine that is ten times too busy."""

MOMENT_SECONDS = 0.3
"""How long to wait for what must not happen."""

BRIEF_SECONDS = 3.0
"""A deadline of the program that a test lets pass. A busy machine must manage in time what does not fail."""

POLL_SECONDS = 0.01


def wait_until(happened: Callable[[], bool], report: Callable[[], object] = lambda: "") -> None:
    """Return as soon as it has happened. After the deadline, fail with the report."""
    ends = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < ends, report()
        time.sleep(POLL_SECONDS)
