"""A device that reports: load, uptime and free disk as JSON, every so often, in the room `devices/NAME`.

    AWS_IOT_PASSWORD=… python examples/device.py --name kitchen --interval 60
    aws-iot sub -r devices/kitchen --json

It signs in as the user of the profile (AWS_IOT_PROFILE) or of AWS_IOT_USER, with AWS_IOT_PASSWORD or the
password preset in the profile. It ends with the exit code of `aws-iot pub` as soon as a report fails.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path


def reading() -> dict[str, float | None]:
    """How this machine is now; None for what it cannot tell."""
    return {
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "up_seconds": round(time.monotonic()),  # counts from the start of the machine on usual systems
        "disk_free_bytes": shutil.disk_usage(Path.home().anchor).free,
    }


def report(name: str) -> int:
    """Say a reading; the exit code of `aws-iot pub`, which is 0 once the broker has it."""
    command = ["aws-iot", "pub", "-r", f"devices/{name}", "-m", "-"]
    return subprocess.run(command, input=json.dumps(reading()), encoding="utf-8", check=False).returncode


def run(name: str, interval: float, count: int | None) -> int:
    due = time.monotonic()
    for number in itertools.count() if count is None else range(count):
        if number:
            due += interval
            time.sleep(max(0.0, due - time.monotonic()))
        if code := report(name):
            return code
    return 0


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Report load, uptime and free disk in the room devices/NAME."
    )
    parser.add_argument("--name", default=platform.node() or "device", help="[default: %(default)s]")
    parser.add_argument("--interval", type=positive, default=60.0, metavar="SECONDS", help="[default: 60]")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N readings  [default: never]")
    chosen = parser.parse_args()
    try:
        return run(chosen.name, chosen.interval, chosen.count)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
