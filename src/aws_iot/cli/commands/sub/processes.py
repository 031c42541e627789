"""Finds and ends the processes of commands, including those that no longer belong to them."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress

import psutil

PROCESS_POLL_SECONDS = 0.01
"""How often to look whether processes have ended."""

ROUNDS = 20
"""How often to look for processes that were started while others were killed."""

CALM_ROUNDS = 3
"""How often in a row none may be found: a process has no environment for an instant when it executes a program."""


def end_processes(pids: Collection[int], variable: str, marks: Collection[str], seconds: float) -> None:
    """Send SIGTERM to the processes of commands, and `seconds` later kill those that are left.

    `pids` are the commands themselves. Their processes are those that descend from them, or whose environment has one
    of these `marks` as a word of the `variable`. Processes of other users stay.
    """
    asked = _find(pids, variable, marks)
    calm = 0
    try:
        _signal(asked, psutil.Process.terminate)
        ends = time.monotonic() + seconds
        while any(map(_is_alive, asked)) and time.monotonic() < ends:
            time.sleep(PROCESS_POLL_SECONDS)
    finally:  # also at a second Ctrl-C
        for _ in range(ROUNDS):
            left = [one for one in asked | _find(pids, variable, marks) if _is_alive(one)]
            calm = 0 if left else calm + 1
            if calm == CALM_ROUNDS:
                break
            _signal(left, psutil.Process.kill)
            time.sleep(PROCESS_POLL_SECONDS)


def _find(pids: Collection[int], variable: str, marks: Collection[str]) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in pids:
        with suppress(psutil.Error):
            command = psutil.Process(pid)
            found |= {command, *command.children(recursive=True)}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # such as those of other users
            if not set(marks).isdisjoint(process.environ().get(variable, "").split()):
                found.add(process)
    return found


def _signal(processes: Collection[psutil.Process], send: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            send(process)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
