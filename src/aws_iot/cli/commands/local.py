"""`aws-iot local`: all of it on this machine, without an AWS account."""

import itertools
import json
import os
import shlex
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
from aws_iot.errors import LocalError
from aws_iot.files import exclusive, write_private

if TYPE_CHECKING:
    from aws_iot.local.stack import LocalStack

_PORT = click.IntRange(1, 65535)
_SECONDS = click.FloatRange(min=0, min_open=True)


@click.command()
@options.profile_key("LOCAL_PROFILE", default="local", show_default=True, help="The profile to write.")
@options.option(
    "--port",
    "api_port",
    env="LOCAL_PORT",
    type=_PORT,
    help="For the HTTP services.  [default: 4566, or a free one]",
)
@options.option(
    "--mqtt-port", env="LOCAL_MQTT_PORT", type=_PORT, help="For MQTT.  [default: 8443, or a free one]"
)
@options.option(
    "-o",
    "--exports",
    "exports",
    env="LOCAL_EXPORTS",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the exports file.  [default: in the config folder]",
)
@options.option("-v", "--verbose", env="VERBOSE", is_flag=True, help="Show the log of the services.")
# For testers, and described for them in CONTRIBUTING.md.
@options.option(
    "--credentials-seconds",
    env="LOCAL_CREDENTIALS_SECONDS",
    type=_SECONDS,
    hidden=True,
    help="How long AWS credentials are valid.  [default: an hour]",
)
@options.option(
    "--link-seconds",
    env="LOCAL_LINK_SECONDS",
    type=_SECONDS,
    hidden=True,
    help="How long a connection to the broker may last.  [default: as long as it likes]",
)
@options.option(
    "--refusal",
    env="LOCAL_REFUSAL",
    type=click.Choice(["puback", "disconnect", "cut"]),
    default="puback",
    hidden=True,
    help="How the broker refuses a message that a policy forbids.",
)
@options.option(
    "--keep",
    env="LOCAL_KEEP",
    is_flag=True,
    hidden=True,
    help="Keep accounts, keys, ports and certificate for the next start with the same profile.",
)
@click.pass_obj
def local(
    app: App,
    /,
    key: str,
    api_port: int | None,
    mqtt_port: int | None,
    exports: Path | None,
    verbose: bool,
    **settings: Any,
) -> None:
    """Run Cognito and AWS IoT Core on this machine.

    For trying and testing. Needs no AWS account, listens on 127.0.0.1 only, and forgets everything
    when it ends. Passwords, codes, signatures and policies are checked as AWS checks them. It runs
    until Ctrl-C.

    \b
    Examples:
      aws-iot local
      aws-iot local -k test --port 5000 --mqtt-port 5001
    """
    output.need_stdout()
    with _own_folder(app.folders.local_stacks, key) as folder:
        key = folder.name
        exports = exports or folder / "aws-exports.json"
        with app.local_stack(folder, api_port, mqtt_port, verbose, **settings) as stack:
            write_private(exports, json.dumps(to_exports(stack.profile), indent=2).encode() + b"\n")
            app.profiles.change(
                key, lambda old: replace(stack.profile, username=old.username if old else None)
            )
            output.data(_welcome(stack, key, exports))
            for_ever = threading.Event()
            while not for_ever.wait(0.5):  # in slices, since on Windows Ctrl-C does not interrupt a wait
                pass


@contextmanager
def _own_folder(parent: Path, key: str) -> Iterator[Path]:
    """A folder that no other local stack uses, named by the profile to write: KEY, or KEY-2, KEY-3 …

    Only the usual key moves out of the way; one that was asked for is an error.
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
                f"a local stack with the profile '{key}' is running already", hint="Choose another: -k KEY"
            )


def _welcome(stack: "LocalStack", key: str, exports: Path) -> str:
    from aws_iot.local.stack import CONFIRMATION_CODE, RESET_CODE

    folder = os.environ.get("AWS_IOT_CONFIG_DIR")
    return f"""\
The local stack is running, on this machine only. Ctrl-C ends it.

  Cognito, IoT control plane, CloudFormation   {stack.api_url}
  MQTT over WebSockets                         {stack.endpoint}
  certificate authority                        {stack.ca_file}
  AWS credentials of its administrator         {stack.admin_file}
  exports file                                 {exports}
  profile                                      {key}
  code that confirms an account                {CONFIRMATION_CODE}
  code that resets a password                  {RESET_CODE}

Next, in another terminal{f" (with AWS_IOT_CONFIG_DIR={folder})" if folder else ""}:

  aws-iot signup -u alice -p Passw0rd -e alice@example.com -k {key}
  aws-iot confirm -u alice -c {CONFIRMATION_CODE} -k {key}
  aws-iot sub -u alice -p Passw0rd -k {key}
  AWS_SHARED_CREDENTIALS_FILE={shlex.quote(str(stack.admin_file))} aws-iot admin accept IDENTITY -k {key}
  aws-iot sub -u alice -p Passw0rd -k {key}
  aws-iot pub -r lobby -m hello -u alice -p Passw0rd -k {key}
"""
