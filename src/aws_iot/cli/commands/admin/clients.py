"""`aws-iot admin who` and `kick`: the connections of clients."""

from __future__ import annotations  # so that what only types need is not imported

import json
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.admin.options import admin_options, clients, for_each
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import text_lines
from aws_iot.messaging.message import timestamp

if TYPE_CHECKING:
    from aws_iot.backend.members import ClientStatus


@click.command(cls=Command)
@clients
@options.json_output
@admin_options
@click.pass_obj
def who(app: App, clients: tuple[str, ...], key: str, as_json: bool, aws_profile: str | None) -> None:
    """Show if clients are connected, and their subscriptions.

    AWS IoT Core cannot list clients, so name them. The client ID is IDENTITY-NAME for `sub --durable
    NAME`. Other client IDs end in random characters; find them in IoT Core's log or lifecycle events.

    \b
    Example:
      aws-iot admin who us-east-1:4f9fa251-0ed5-4578-add0-985024739222-worker
    """
    output.need_stdout()
    members = app.admin.members(app.config.profiles.load(key), aws_profile)

    def show(client: str) -> None:
        status = members.client_status(client)
        if as_json:
            output.data(json.dumps(_as_object(status)))
        else:
            for line in text_lines(_as_text(status)):
                output.data(line)

    for_each(clients, show)


def _as_object(status: ClientStatus) -> dict[str, Any]:
    return {
        "client": status.client,
        "connected": status.connected,
        "since": status.since and timestamp(status.since),
        "reason": status.reason,
        "hears": list(status.filters),
    }


def _as_text(status: ClientStatus) -> str:
    what = "connected" if status.connected else "not connected"
    if status.since:
        what += f" since {status.since.astimezone():%F %T}"
    if status.reason and not status.connected:
        what += f" ({status.reason})"
    filters = ", ".join(status.filters) or "nothing"
    return f"{status.client}  {what}  subscribed to {filters}"


@click.command("kick", cls=Command)
@clients
@admin_options
@click.pass_obj
def disconnect(app: App, clients: tuple[str, ...], key: str, aws_profile: str | None) -> None:
    """Close connections, by client ID.

    A member can reconnect at once, so run `aws-iot admin revoke` first. See `aws-iot admin who`.

    \b
    Example:
      aws-iot admin kick us-east-1:4f9fa251-0ed5-4578-add0-985024739222-worker
    """
    members = app.admin.members(app.config.profiles.load(key), aws_profile)

    def close(client: str) -> None:
        members.disconnect(client)
        output.info(f"Closed the connection of {client}.")

    for_each(clients, close)
