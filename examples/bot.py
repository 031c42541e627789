"""A bot that answers in a room: `!ping` with `pong`, `!time` with the time, `!echo TEXT` with TEXT.

    AWS_IOT_PASSWORD=… python examples/bot.py ROOM

It signs in as the user of the profile (AWS_IOT_PROFILE) or of AWS_IOT_USER, with AWS_IOT_PASSWORD or the
password preset in the profile. Give it an account of its own: what that account says is not answered.
Ctrl-C or SIGTERM ends it.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from types import FrameType

# The bot reads its identity from a notice that --quiet would hide.
ENVIRONMENT = os.environ | {"AWS_IOT_QUIET": "0"}


def answer(text: str) -> str | None:
    """What to say to `text`; None for nothing."""
    command, _, rest = text.partition(" ")
    match command:
        case "!ping":
            return "pong"
        case "!time":
            return datetime.now(UTC).isoformat(timespec="seconds")
        case "!echo":
            return rest or None
    return None


def say(room: str, text: str) -> None:
    # Others wrote the text. On standard input it is never taken for an option, or by a shell for a command;
    # "replace", since JSON can hold half a character. What cannot be said, `pub` explains; the bot goes on.
    command = ["aws-iot", "pub", "-q", "-r", room, "-m", "-"]
    subprocess.run(
        command, input=text + "\n", env=ENVIRONMENT, encoding="utf-8", errors="replace", check=False
    )


def run(room: str) -> int:
    command = ["aws-iot", "sub", "-r", room, "--json"]
    with subprocess.Popen(
        command,
        env=ENVIRONMENT,
        encoding="utf-8",
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # the notices come first, and no line of theirs begins like a message
    ) as listener:
        me = None
        try:
            assert listener.stdout
            for line in listener.stdout:
                if not line.startswith('{"'):
                    print(line, end="", file=sys.stderr, flush=True)
                    if found := re.search(r"identityId: '([^']+)'", line):
                        me = found[1]
                    continue
                message = json.loads(line)
                if me and message["sender"] != me and (reply := answer(message["text"])):
                    say(room, reply)
            return listener.wait()  # it ended by itself, and has said why
        except KeyboardInterrupt:
            return 0
        finally:
            listener.terminate()


def stop(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A bot that answers !ping, !time and !echo TEXT in a room.")
    parser.add_argument("room")
    signal.signal(signal.SIGTERM, stop)
    sys.exit(run(parser.parse_args().room))
