"""The limit of open files of this process."""

import os
import sys

from aws_iot.errors import LocalError

SPARE_FILES = 12
"""Open files besides those of connections: libraries, sessions, commands of `--exec`."""


def need_open_files(connections: int) -> None:
    """Raise this process's limit of open files if so many new connections need it. Raises `LocalError` if it cannot."""
    if sys.platform == "win32":  # it has no such limit
        return
    import resource

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


def _open_files() -> int:
    """About how many files are open: the lowest number that is free."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError as error:
        hint = "To raise the limit: ulimit -n 1024"
        raise LocalError(f"no file can be opened: {error.strerror}", hint) from error
    os.close(number)
    return number
