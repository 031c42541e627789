"""A device that reports its load, uptime and free disk space as JSON to the room `devices/NAME`.

    AWS_IOT_PASSWORD=… python examples/device.py --name kitchen --interval 60
    aws-iot sub -r devices/kitchen --json

It uses the profile AWS_IOT_PROFILE, and signs in as AWS_IOT_USER with AWS_IOT_PASSWORD. Without these, it
uses the saved session of `aws-iot login`. If a report fails, it stops with the exit code of `aws-iot pub`.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import aws_iot


def reading() -> dict[str, float | None]:
    """The state of this machine; None for what it cannot measure."""
    return {
        "load_1min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "up_seconds": round(time.monotonic()),  # counts from the start of the machine on most systems
        "disk_free_bytes": shutil.disk_usage(Path.home().anchor).free,
    }


def run(client: aws_iot.Client, name: str, interval: float, count: int | None) -> None:
    due = time.monotonic()
    for number in itertools.count() if count is None else range(count):
        if number:
            due += interval
            time.sleep(max(0.0, due - time.monotonic()))
        client.publish(f"devices/{name}", json.dumps(reading()))


def positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Report load, uptime and free disk to the room devices/NAME."
    )
    parser.add_argument("--name", default=platform.node() or "device", help="[default: %(default)s]")
    parser.add_argument("--interval", type=positive, default=60.0, metavar="SECONDS", help="[default: 60]")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N reports  [default: never]")
    chosen = parser.parse_args()
    profile = os.environ.get("AWS_IOT_PROFILE", "default")
    user, password = os.environ.get("AWS_IOT_USER"), os.environ.get("AWS_IOT_PASSWORD")
    try:
        with aws_iot.connect(profile, user=user, password=password) as client:
            run(client, chosen.name, chosen.interval, chosen.count)
    except KeyboardInterrupt:
        return 130
    except aws_iot.AwsIotError as error:
        print(f"Error: {error}", error.hint or "", sep="\n", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
