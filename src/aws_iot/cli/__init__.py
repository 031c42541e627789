"""What a person types: the only importer of Click. A command parses, calls, and prints."""

import atexit
import gc
import signal
import sys
from types import FrameType

LOOK_FOR_GARBAGE_AFTER = 150_000
"""Objects: more than a command makes before it does its work, as a rule all to be kept."""


def main() -> None:
    """The command `aws-iot`."""
    # Else Python looks through all that is imported some 200 times, and twice more before it ends: a sixth of
    # a `pub` that signs in.
    gc.set_threshold(LOOK_FOR_GARBAGE_AFTER)
    atexit.register(gc.freeze)
    signal.signal(signal.SIGTERM, _terminated)
    # Windows has none; `nohup` has it ignored.
    if (hangup := getattr(signal, "SIGHUP", None)) and signal.getsignal(hangup) is not signal.SIG_IGN:
        signal.signal(hangup, _terminated)
    try:
        # Here, so that Ctrl-C during the imports is no traceback either.
        from aws_iot.cli.ui.output import set_up_streams

        set_up_streams()
        from aws_iot.cli.root import root
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    root(prog_name="aws-iot")


def _terminated(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)  # through every `finally`, so that the broker is told
