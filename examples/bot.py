"""A bot that answers in a room: `!ping` with `pong`, `!time` with the time, `!echo TEXT` with TEXT.

    AWS_IOT_PASSWORD=… python examples/bot.py ROOM

It uses the profile AWS_IOT_PROFILE, and signs in as AWS_IOT_USER with AWS_IOT_PASSWORD. Without these, it
uses the saved session of `aws-iot login`. Give it its own account: it does not answer its own messages.
Ctrl-C or SIGTERM stops it.
"""

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

import aws_iot


def answer(text: str) -> str | None:
    """The reply to `text`; None for no reply."""
    command, _, rest = text.partition(" ")
    match command:
        case "!ping":
            return "pong"
        case "!time":
            return datetime.now(UTC).isoformat(timespec="seconds")
        case "!echo":
            return rest or None
    return None


def run(client: aws_iot.Client, room: str) -> None:
    messages = client.messages(room)
    print(f"Receiving from {room}; Ctrl-C stops.", file=sys.stderr, flush=True)
    for message in messages:
        reply = answer(message.text)
        if reply is None or message.kind or message.sender == client.identity:
            continue
        try:
            # Others wrote the text, and JSON can contain half a character, which cannot be sent.
            client.reply(message, reply.encode(errors="replace").decode())
        except aws_iot.AwsIotError as error:  # such as a reply that is too long; the next may be sent
            print(f"not sent: {error}", file=sys.stderr, flush=True)


def stop(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description="A bot that answers !ping, !time and !echo TEXT in a room.")
    parser.add_argument("room")
    room = parser.parse_args().room
    signal.signal(signal.SIGTERM, stop)
    profile = os.environ.get("AWS_IOT_PROFILE", "default")
    user, password = os.environ.get("AWS_IOT_USER"), os.environ.get("AWS_IOT_PASSWORD")
    try:
        with aws_iot.connect(profile, user=user, password=password) as client:
            run(client, room)
    except KeyboardInterrupt:
        pass
    except aws_iot.AwsIotError as error:
        print(f"Error: {error}", error.hint or "", sep="\n", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
