"""The limits that the system sets for this process: of open files, and of the size of a file. Windows has none."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from aws_iot.errors import LocalError

SPARE_FILES = 12
"""Open files besides those of connections: libraries, sessions, commands of `--exec`."""


def _of_this_system() -> Any:
    """Python's module `resource`; None on a system without limits."""
    try:
        return import_module("resource")
    except ImportError:
        return None


def need_open_files(connections: int, system: Callable[[], Any] = _of_this_system) -> None:
    """Raise this process's limit of open files if so many new connections need it. Raises `LocalError` if it cannot."""
    resource = system()
    if resource is None:
        return
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _open_files() + connections + SPARE_FILES
    if limit >= needed or limit == resource.RLIM_INFINITY:
        return
    if most < needed and most != resource.RLIM_INFINITY:
        several = "a connection needs" if connections == 1 else f"{connections} connections need"
        raise LocalError(
            f"{several} up to {needed} open files, and the limit is {most}",
            hint=f"To raise the limit: ulimit -n {needed}",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))


def file_size_limit(system: Callable[[], Any] = _of_this_system) -> int | None:
    """The limit of this process for the size of a file, in bytes; None if there is none."""
    resource = system()
    if resource is None:
        return None
    limit: int = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _open_files() -> int:
    """About how many files are open: the lowest number that is free."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError as error:
        hint = "To raise the limit: ulimit -n 1024"
        raise LocalError(f"no file can be opened: {error.strerror}", hint) from error
    os.close(number)
    return number
