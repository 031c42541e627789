"""`aws-iot history rooms`: the rooms of the history, and what you have not read there."""

import json
import sys

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.history.opening import opened
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.labels import label
from aws_iot.cli.ui.tables import table
from aws_iot.messaging.message import timestamp


@click.command("rooms", cls=Command)
@options.json_output
@options.user
@options.profile
@options.quiet
@click.pass_obj
def rooms_(app: App, key: str, user: str | None, as_json: bool) -> None:
    """List the rooms, with the number of saved and unread messages.

    A message is unread until `sub` or `history` has printed it, or a later one of its room, on a terminal. Searches do
    not count. Your own messages are never unread.

    \b
    Examples:
      aws-iot history rooms
      aws-iot history rooms --json | jq 'select(.unread > 0)'
    """
    with opened(app, key, user) as history:
        found = history.rooms()
    if as_json:
        for room, messages, unread, last in found:
            row = {"room": room, "messages": messages, "unread": unread, "last": timestamp(last)}
            output.data(json.dumps(row))
        return
    rows = [
        (
            label(one.room, sys.maxsize),
            f"{one.messages:,}",
            f"{one.unread:,}",
            f"{one.last.astimezone():%Y-%m-%d %H:%M}",
        )
        for one in found
    ]
    for line in table(("ROOM", "MESSAGES", "UNREAD", "LAST"), rows):
        output.data(line)
    if not found:
        output.info("The history is empty.")
