"""The options of `aws-iot sub`, and the values that they give."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from aws_iot.cli import options
from aws_iot.cli.commands.sub.matching import InvalidPattern, Pattern
from aws_iot.errors import LocalError
from aws_iot.identities import SHORT, IdentityPrefix
from aws_iot.messaging.durable import check_session_name

if TYPE_CHECKING:
    from aws_iot.cli.ui.template import Template


@dataclass(frozen=True)
class SubOptions:
    """The options of `sub`, except those that sign in."""

    rooms: tuple[str, ...]
    since: str | None
    pattern: Pattern | None
    senders: tuple[IdentityPrefix, ...]
    not_from_me: bool
    count: int | None
    seconds: float | None
    as_json: bool
    template: Template | None
    raw: bool
    command: list[str]
    jobs: int
    durable: str | None
    wait: bool
    no_history: bool

    def __post_init__(self) -> None:
        """Raises `UsageError` for options that exclude each other."""
        if self.as_json + self.raw + (self.template is not None) + bool(self.command) > 1:
            raise click.UsageError("--json, --format, --raw and --exec exclude each other.")


def _identities(
    _ctx: click.Context, _: click.Parameter, given: tuple[str, ...]
) -> tuple[IdentityPrefix, ...]:
    found = []
    for identity in given:
        if (prefix := IdentityPrefix.parse(identity, fewest=SHORT)) is None:
            raise click.BadParameter(
                f"'{identity}' is not an identity: give all of it, or at least the {SHORT} characters after ~."
            )
        found.append(prefix)
    return tuple(found)


def _command(_ctx: click.Context, _: click.Parameter, given: str | None) -> list[str]:
    if given is None:
        return []
    import shutil  # here, as below: the Tab key would wait for it

    try:
        command = shlex.split(given)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error
    if not (command and shutil.which(command[0])):
        raise click.BadParameter(f"there is no command '{command[0] if command else ''}'.")
    return command


def _template(_ctx: click.Context, _: click.Parameter, given: str | None) -> Template | None:
    if given is None:
        return None
    from aws_iot.cli.ui.template import InvalidTemplate, Template

    try:
        return Template(given)
    except InvalidTemplate as error:
        raise click.BadParameter(f"{error}.") from error


def _pattern(_ctx: click.Context, _: click.Parameter, given: str | None) -> Pattern | None:
    try:
        return None if given is None else Pattern(given)
    except InvalidPattern as error:
        raise click.BadParameter(f"{error}.") from error


def _session_name(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    try:
        if given is not None:
            check_session_name(given)
    except LocalError as error:
        raise click.BadParameter(f"{error}.") from error
    return given


_WHICH_MESSAGES = (
    options.option(
        "-r",
        "--room",
        "rooms",
        env="ROOM",
        multiple=True,
        metavar="ROOM",
        completes="rooms",
        help="A room, or a pattern such as ops/+ or 'ops/#'; can be repeated.  [default: every room]",
    ),
    options.option(
        "--since",
        env="SINCE",
        metavar="TIME",
        help="First print the history from this time on, as 30m.",
    ),
    options.option(
        "--grep",
        "pattern",
        cls=options.Once,
        env="GREP",
        metavar="REGEX",
        callback=_pattern,
        help="Only messages whose text this pattern matches.",
    ),
    options.option(
        "--from",
        "senders",
        env="FROM",
        multiple=True,
        metavar="IDENTITY",
        callback=_identities,
        completes="members",
        help="Only from this identity, such as 4f9fa251; can be repeated.",
    ),
    options.option("--not-from-me", env="NOT_FROM_ME", is_flag=True, help="Skip your own messages."),
)
_WHEN_TO_STOP = (
    options.option(
        "-C", "--count", env="COUNT", type=options.Whole(1), metavar="N", help="Stop after N messages."
    ),
    options.option(
        "-W",
        "--within",
        "seconds",
        env="WITHIN",
        type=options.Number(0, min_open=True),
        metavar="SECONDS",
        help="Stop this long after subscribing. Exits with 8 if fewer than N messages (-C), or none, arrived.",
    ),
)
_WHAT_TO_DO = (
    options.json_output,
    options.option(
        "--format",
        "template",
        env="SUB_FORMAT",
        metavar="TEMPLATE",
        callback=_template,
        help="Print in this format: see `aws-iot help format`.",
    ),
    options.option(
        "--raw",
        env="SUB_RAW",
        is_flag=True,
        help="Print the payload of each message unchanged.",
    ),
    options.option(
        "--exec",
        "command",
        cls=options.Once,
        env="EXEC",
        metavar="COMMAND",
        callback=_command,
        help="Instead of printing a message, run a command.",
    ),
    options.option(
        "--exec-jobs",
        "jobs",
        env="EXEC_JOBS",
        type=options.Whole(1, 100),
        default=1,
        show_default=True,
        metavar="N",
        help="Run up to N commands at once. With more than 1, they end in any order.",
    ),
)
_HOW_TO_CONNECT = (
    options.option(
        "--durable",
        env="DURABLE",
        metavar="NAME",
        callback=_session_name,
        help="Let the broker keep messages while you are offline, in a session of this name.",
    ),
    options.option(
        "--wait", env="WAIT", is_flag=True, help="Keep trying to connect until an admin accepts you."
    ),
)


def sub_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the fields of `SubOptions` as options, in the order of `--help`."""
    for decorate in reversed(
        (*_WHICH_MESSAGES, *_WHEN_TO_STOP, *_WHAT_TO_DO, *_HOW_TO_CONNECT, options.no_history)
    ):
        command = decorate(command)
    return command
