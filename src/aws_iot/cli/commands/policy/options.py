"""The options of `aws-iot policy`, and which of them exclude each other."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import click

from aws_iot.cli import options
from aws_iot.messaging.topics import is_pattern
from aws_iot.policy.actions import ACTIONS
from aws_iot.policy.context import expected_instead


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where the policies come from: files, or AWS."""

    role_policies: tuple[Path, ...]
    iot_policies: tuple[Path, ...]
    pool: str | None
    account: str | None
    aws_profile: str | None

    @property
    def is_files(self) -> bool:
        """Whether the policies are read from files."""
        return bool(self.role_policies or self.iot_policies)


@dataclass(frozen=True, slots=True)
class PolicyQuery:
    """What to check, for which identity, and with which policies."""

    room: str | None
    topic: str | None
    actions: tuple[str, ...]
    retain: bool
    identity: str | None
    client: str | None
    context: Mapping[str, Sequence[str]]
    source: PolicySource

    @classmethod
    def from_options(cls, room: str | None, **options: Any) -> Self:
        """From the values of the options below."""
        source = PolicySource(**{name: options.pop(name) for name in PolicySource.__slots__})
        return cls(room, source=source, **options)

    def check(self) -> None:
        """Raise a usage error if options contradict each other."""
        if self.room is not None and self.topic is not None:
            raise click.UsageError("Use either --room or --topic.")
        if not self.source.is_files and (self.source.pool or self.source.account):
            raise click.UsageError("--pool and --account need --role-policy or --iot-policy.")
        pattern = self.topic or self.room or ""
        if is_pattern(pattern) and (self.retain or {*self.actions} - {"connect", "subscribe"}):
            raise click.UsageError(f"'{pattern}' is a pattern, for subscribing only: name a room or a topic.")


def _context(_ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    values: dict[str, list[str]] = {}
    for one in given:
        key, found, value = one.partition("=")
        if not (key and found):
            raise click.BadParameter(f"'{one}' is not KEY=VALUE.")
        if expected := expected_instead(key, value):
            raise click.BadParameter(f"{key} must be {expected}, not '{value}'.")
        values.setdefault(key, []).append(value)
    return values


def _account(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is not None and not (len(given) == 12 and given.isascii() and given.isdigit()):
        raise click.BadParameter("an AWS account number has 12 digits.")
    return given


def _pool(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"[\w-]+:[0-9A-Fa-f-]+", given):
        return given
    what = "a user pool" if re.fullmatch(r"[\w-]+_\w+", given) else "not an identity pool"
    raise click.BadParameter(
        f"'{given}' is {what}: give the ID of the identity pool, such as us-east-1:6a1c…"
    )


def _file(*names: str, env: str, help: str) -> options.Decorator:  # noqa: A002 Click's word
    kind = click.Path(path_type=Path, dir_okay=False)
    return options.option(*names, env=env, multiple=True, type=kind, metavar="FILE", help=help)


_OPTIONS = (
    options.option(
        "--topic", env="DOCTOR_TOPIC", metavar="TOPIC", help="Check this topic instead of a room."
    ),
    options.option(
        "--action",
        "actions",
        env="DOCTOR_ACTION",
        multiple=True,
        type=click.Choice([*ACTIONS]),
        metavar="ACTION",
        help=f"Check only this action: {', '.join(ACTIONS)}; can be repeated.  [default: all but retain]",
    ),
    options.option(
        "--retain", env="RETAIN", is_flag=True, help="Also check the permission that `pub --retain` needs."
    ),
    options.option(
        "--identity",
        env="DOCTOR_IDENTITY",
        metavar="IDENTITY",
        help="The identity to check.  [default: the signed-in person's]",
    ),
    options.option(
        "--client-id",
        "client",
        env="DOCTOR_CLIENT_ID",
        metavar="CLIENT",
        help="The client ID of the connection.  [default: the identity, '-' and 8 characters]",
    ),
    options.option(
        "--context",
        env="DOCTOR_CONTEXT",
        multiple=True,
        callback=_context,
        metavar="KEY=VALUE",
        help="The value of a condition key, such as aws:SourceIp=203.0.113.7; can be repeated.",
    ),
    _file(
        "--role-policy",
        "role_policies",
        env="DOCTOR_ROLE_POLICY",
        help="A policy of the role, as a JSON file, instead of the policies in AWS; can be repeated.",
    ),
    _file(
        "--iot-policy",
        "iot_policies",
        env="DOCTOR_IOT_POLICY",
        help="An IoT policy of the identity, as a JSON file, instead of those in AWS; can be repeated.",
    ),
    options.option(
        "--pool",
        env="DOCTOR_POOL",
        metavar="POOL",
        callback=_pool,
        help="With policy files: the identity pool.  [default: the profile's]",
    ),
    options.option(
        "--account",
        env="DOCTOR_ACCOUNT",
        metavar="ACCOUNT",
        callback=_account,
        help="With policy files: the AWS account.  [default: the account that they name most often]",
    ),
    options.aws_profile,
)


def policy_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the fields of `PolicyQuery` as options, except the room."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


OPTION_NAMES = frozenset((*PolicyQuery.__slots__, *PolicySource.__slots__)) - {"room", "source"}
"""The names of their parameters."""
