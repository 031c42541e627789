"""`aws-iot local`: run all services on this machine, without an AWS account."""

import itertools
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.ui import output
from aws_iot.config.exports import to_exports
from aws_iot.config.profile import checked_key
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import LocalError
from aws_iot.files import exclusive, write_private

if TYPE_CHECKING:
    from aws_iot.local.stack import LocalStack

_PORT = click.IntRange(1, 65535)
_SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@options.profile_key("LOCAL_PROFILE", default="local", show_default=True, help="Write this profile.")
@options.option(
    "--port",
    "api_port",
    env="LOCAL_PORT",
    type=_PORT,
    help="The port of the HTTP services.  [default: 4566, or a free one]",
)
@options.option(
    "--mqtt-port",
    env="LOCAL_MQTT_PORT",
    type=_PORT,
    help="The port of the MQTT broker.  [default: 8443, or a free one]",
)
@options.option(
    "-o",
    "--exports",
    "exports",
    env="LOCAL_EXPORTS",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the exports file here.  [default: in the config folder]",
)
@options.option("-v", "--verbose", env="VERBOSE", is_flag=True, help="Show the log of the services.")
# For testers: CONTRIBUTING.md describes these options.
@options.option(
    "--credentials-seconds",
    env="LOCAL_CREDENTIALS_SECONDS",
    type=_SECONDS,
    hidden=True,
    help="How long AWS credentials are valid.  [default: 1 hour]",
)
@options.option(
    "--link-seconds",
    env="LOCAL_LINK_SECONDS",
    type=_SECONDS,
    hidden=True,
    help="Close connections to the broker after this time.  [default: never]",
)
@options.option(
    "--refusal",
    env="LOCAL_REFUSAL",
    type=click.Choice(["puback", "disconnect", "cut"]),
    default="puback",
    hidden=True,
    help="How the broker refuses a publish that a policy forbids.",
)
@options.option(
    "--keep",
    env="LOCAL_KEEP",
    is_flag=True,
    hidden=True,
    help="Use the same accounts, keys, ports and certificate at the next start with this profile.",
)
@click.pass_obj
def local(
    app: App,
    /,
    key: str,
    exports: Path | None,
    **settings: Any,
) -> None:
    """Run Cognito and AWS IoT Core on this machine.

    For trying things out and for tests. Needs no AWS account, listens only on 127.0.0.1, and deletes all
    data when it stops. It checks passwords, codes, signatures and policies like AWS. Ctrl-C stops it.

    \b
    Examples:
      aws-iot local
      aws-iot local -k test --port 5000 --mqtt-port 5001
    """
    output.need_stdout()
    with _own_folder(app.settings.folders.local_stacks, key) as folder:
        key = folder.name
        exports = exports or folder / "aws-exports.json"
        with app.local.stack(folder, **settings) as stack:
            write_private(exports, json.dumps(to_exports(stack.profile), indent=2).encode() + b"\n")
            app.config.profiles.change(
                key, lambda old: replace(stack.profile, username=old.username if old else None)
            )
            output.data(_welcome(stack, key, exports))
            never = threading.Event()
            while not never.wait(
                POLL_SECONDS
            ):  # short waits, because on Windows Ctrl-C does not interrupt one
                pass


@contextmanager
def _own_folder(parent: Path, key: str) -> Iterator[Path]:
    """A folder that no other local stack uses, named after the profile to write: KEY, or KEY-2, KEY-3 …

    A key that was given as an option is not changed: if it is in use, raise `LocalError`.
    """
    chosen = click.get_current_context().get_parameter_source("key") is not click.core.ParameterSource.DEFAULT
    names = (key if number == 1 else f"{key}-{number}" for number in itertools.count(1))
    for name in names:
        with exclusive(parent / checked_key(name), seconds=0) as held:
            if held:
                yield parent / name
                return
        if chosen:
            raise LocalError(
                f"a local stack with the profile '{key}' is already running",
                hint="Choose another profile: -k KEY",
            )


def _welcome(stack: "LocalStack", key: str, exports: Path) -> str:
    from aws_iot.local.stack import CONFIRMATION_CODE, RESET_CODE

    folder = os.environ.get("AWS_IOT_CONFIG_DIR")
    return f"""\
The local stack is running, on this machine only. Ctrl-C stops it.

  Cognito, IoT control plane, CloudFormation   {stack.api_url}
  MQTT over WebSocket                          {stack.endpoint}
  certificate authority                        {stack.ca_file}
  AWS credentials of the administrator         {stack.admin_file}
  exports file                                 {exports}
  profile                                      {key}
  confirmation code for accounts               {CONFIRMATION_CODE}
  reset code for passwords                     {RESET_CODE}

Next, in another terminal{f" (with AWS_IOT_CONFIG_DIR={folder})" if folder else ""}:

  aws-iot signup -u alice -p Passw0rd -e alice@example.com -k {key}
  aws-iot confirm -u alice -c {CONFIRMATION_CODE} -k {key}
  aws-iot sub -u alice -p Passw0rd -k {key}
  aws-iot admin accept IDENTITY --user alice -k {key}
  aws-iot sub -u alice -p Passw0rd -k {key}
  aws-iot pub -r lobby -m hello -u alice -p Passw0rd -k {key}
"""
