"""The command line, and the only importer of Click. A command parses, calls and prints."""

import atexit
import gc
import os
import signal
import sys
import warnings
from types import FrameType

GARBAGE_COLLECTION_OBJECTS = 150_000
"""Number of new objects before Python collects garbage: more than a command creates while it starts."""

COMPLETION_VARIABLE = "_AWS_IOT_COMPLETE"
"""With it, a shell asks what the Tab key completes."""

INTERRUPTED = 128 + signal.SIGINT
"""The exit code after Ctrl-C."""


def main() -> None:
    """The command `aws-iot`."""
    # By default, Python would search everything that was imported some 200 times, and twice more at exit. That is a
    # sixth of the time of a `pub` that signs in.
    gc.set_threshold(GARBAGE_COLLECTION_OBJECTS)
    atexit.register(gc.freeze)
    if not sys.warnoptions:  # warnings of libraries are for developers, who can ask for them with python -W
        warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, _terminated)
    # Windows has no SIGHUP, and `nohup` ignores it.
    if (hangup := getattr(signal, "SIGHUP", None)) and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, _terminated)
    try:
        if os.environ.get(COMPLETION_VARIABLE):
            _answer_shell()
        from aws_iot.cli.ui.output import set_up_streams

        set_up_streams()
        from aws_iot.cli.root import root

        root(prog_name="aws-iot")
    except KeyboardInterrupt:  # during the imports, or while an error is printed
        _exit_at_once(INTERRUPTED)
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if end.code in (None, 0, INTERRUPTED):
            _exit_at_once(end.code or 0)
        raise


def _answer_shell() -> None:
    from aws_iot.cli.completion.answer import answer

    lines = answer(os.environ).encode(sys.getfilesystemencoding(), "replace")
    try:
        sys.stdout.buffer.write(lines)
        sys.stdout.flush()
    except (AttributeError, OSError):  # the shell does not read it; stdout is None if it is closed
        os._exit(1)
    _exit_at_once(0)


def _exit_at_once(code: int) -> None:
    """Exit without freeing each object, which takes a twentieth of the time of a `pub`: the system frees all.

    It also keeps the exit code after Ctrl-C. Python executes a text for each named tuple and data class that is
    imported. If Ctrl-C comes just then, `python -m` ends by SIGINT at its own exit.

    Returns if something that was printed cannot be written. Python's own exit then reports it.
    """
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 whatever it is, Python's own exit meets it again
        return
    os._exit(code)


def _terminated(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)  # this runs every `finally`, which disconnects from the broker
