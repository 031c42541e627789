"""What a person types: the only importer of Click. A command parses, calls, and prints."""

import signal
import sys
from types import FrameType


def main() -> None:
    """The command `aws-iot`."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        # Here, so that Ctrl-C during the imports is no traceback either.
        from aws_iot.cli.root import root
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # as after `>&-`
            # What the terminal's encoding cannot show is shown as an escape rather than as a crash.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are TextIOWrapper here
    root(prog_name="aws-iot")


def _terminated(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)  # through every `finally`, so that the broker is told
