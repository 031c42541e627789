"""Options and arguments: what they all have in common, and those that several commands share.

Every option has a variable AWS_IOT_….
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import click

from aws_iot.app import TIMEOUT_SECONDS, App
from aws_iot.cli.groups import COMMON, OWN, SIGN_IN
from aws_iot.cli.secret_variables import SECRET_VARIABLES, secret
from aws_iot.cli.ui.output import QUIET, VERBOSE
from aws_iot.errors import LocalError

ANSWERS = "aws_iot.answers"
"""The key for answers to challenges, given as options, in the metadata of Click's context."""

ATTRIBUTES = "aws_iot.attributes"
"""The same for attributes that a user pool requires."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Argument(click.Argument):
    """An argument. An empty one is rejected unless `may_be_empty`. Shells complete it with what `completes` names."""

    def __init__(
        self, *args: Any, completes: str = "", may_be_empty: bool = False, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.completes = completes
        self.may_be_empty = may_be_empty

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        _check_not_empty(value, self, ctx)
        return super().process_value(ctx, value)


class Option(click.Option):
    """An option with a place in the help of its command. Its variable is described by `aws-iot help environment`.

    An empty value is rejected unless `may_be_empty`. An empty variable counts as not set. Shells complete its value
    with what `completes` names, a key of `aws_iot.cli.completion.names.NAMES`, or with one of several values.
    """

    def __init__(
        self,
        *args: Any,
        section: str = OWN,
        completes: str | Sequence[str] = "",
        may_be_empty: bool = False,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.section = section
        self.completes = completes
        self.may_be_empty = may_be_empty

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        _check_not_empty(value, self, ctx)
        return super().process_value(ctx, value)

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Each line of the variable is a value if the option can be repeated: values contain blanks and colons."""
        if not self.multiple:
            return super().value_from_envvar(ctx)
        lines = (self.resolve_envvar_value(ctx) or "").replace("\r\n", "\n").split("\n")
        return [line for line in lines if line] or None

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        if self.hidden:
            return None
        extra = self.get_help_extra(ctx)
        notes = [f"default: {extra['default'].removesuffix('.0')}"] if "default" in extra else []
        notes += ["required"] if self.required else []
        value = "" if self.is_flag or self.count else f" {self.make_metavar(ctx)}"
        return ", ".join(
            self.names()
        ) + value, f"{self.help}  [{'; '.join(notes)}]" if notes else self.help or ""

    def names(self) -> list[str]:
        """A short and a long name. Others are old names, which keep working."""
        short = [name for name in self.opts if not name.startswith("--")][:1]
        return short + [name for name in self.opts if name.startswith("--")][:1]

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The value of its variable. Secret ones are no longer in the environment."""
        if isinstance(self.envvar, str) and self.envvar in SECRET_VARIABLES:
            return secret(ctx, self.envvar)
        return super().resolve_envvar_value(ctx)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """What to call it in an error: its variable if that has the value, otherwise its names."""
        if ctx and ctx.get_parameter_source(self.name or "") is click.core.ParameterSource.ENVIRONMENT:
            return f"the variable {self.envvar}"
        return super().get_error_hint(ctx)


def _check_not_empty(value: Any, param: "Option | Argument", ctx: click.Context) -> None:
    """Raise a usage error for an empty value: it comes from an unset variable of the shell, and means something else.

    An empty folder, for example, would be the current one.
    """
    values = value if isinstance(value, tuple | list) else (value,)
    for one in values:
        if isinstance(one, str) and not one.strip() and not (param.may_be_empty or ctx.resilient_parsing):
            reason = "only blanks" if one else "empty"
            raise click.BadParameter(f"it is {reason}. Is a shell variable unset?", ctx, param)


def argument(*names: str, **attributes: Any) -> Decorator:
    """An argument of a command."""
    return click.argument(*names, **{"cls": Argument, **attributes})


def option(*names: str, env: str, **attributes: Any) -> Decorator:
    """An option that can also be given as the environment variable `AWS_IOT_<env>`."""
    return click.option(*names, envvar=f"AWS_IOT_{env}", **{"cls": Option, **attributes})


class Once(Option):
    """An option that is rejected if it is given twice, because the user would expect both to count.

    Of other options the last one counts, so that the command line overrides a shell alias.
    """

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ARG002 Click's signature
        parser.add_option(obj=self, opts=self.opts, dest=self.name, action="append", nargs=self.nargs)

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        given = opts.get(self.name or "", [])
        if len(given) > 1 and not ctx.resilient_parsing:
            raise click.UsageError(f"{self.opts[0]} was given {len(given)} times: give it once.", ctx)
        last = {self.name: given[-1]} if given else {}
        return super().handle_parse_result(ctx, {**opts, **last}, args)


class Number(click.ParamType[float]):
    """A number within bounds. `min_open`: the lower bound itself is not allowed."""

    name = "number"
    _what = "a number"
    _read: Callable[[str], float] = float

    def __init__(self, least: float, most: float = math.inf, *, min_open: bool = False) -> None:
        self._least = least
        self._most = most
        self._min_open = min_open

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            number = type(self)._read(value)
        except ValueError:
            number = math.nan  # not below or above any bound
        is_enough = number > self._least if self._min_open else number >= self._least
        if not (is_enough and number <= self._most):
            self.fail(f"'{value}' is not {self._what} {self._bounds()}.", param, ctx)
        return number

    def _bounds(self) -> str:
        least = f"{self._least:,}"
        if self._most < math.inf:
            return f"from {least} to {self._most:,}"
        return f"above {least}" if self._min_open else f"of at least {least}"


class Whole(Number):
    """A whole number within bounds."""

    name = "whole number"
    _what = "a whole number"
    _read = int


def _set_timeout(ctx: click.Context, _: click.Parameter, seconds: float) -> None:
    if app := ctx.find_object(App):  # None if Click reads a command line but does not run it
        ctx.obj = app.replace(timeout=seconds)


def profile_key(env: str, **attributes: Any) -> Decorator:
    """An option that names a profile. Shells complete it with the stored profiles."""
    names = ("-k", "--profile", "--key", "key")
    return option(*names, env=env, metavar="KEY", completes="profiles", **attributes)


class ProfileOption(Option):
    """`-k` of a command that uses a profile. Without a value, it is the profile that `config use` has chosen."""

    def get_default(self, ctx: click.Context, call: bool = True) -> Any:
        app = ctx.find_object(App)  # None while the docs are generated
        try:
            return app.config.profiles.default_key() if app else super().get_default(ctx)
        except LocalError:
            if not call:
                return super().get_default(ctx)  # for `--help`, which works without settings
            if isinstance(ctx.command, click.Group):
                return None  # a subcommand may follow, with `--help`; otherwise see `given_or_default`
            raise


def given_or_default(app: App, key: str | None) -> str:
    """The key of a group that is a command, too. Raises `LocalError` if the default cannot be read."""
    return key or app.config.profiles.default_key()


profile = profile_key(
    "PROFILE",
    cls=ProfileOption,
    default="default",
    show_default=True,
    section=COMMON,
    help="The profile to use.",
)


def profile_argument(option: Decorator) -> Decorator:
    """The key of a profile as an argument, or by the option `-k`. The command gets it as `key`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def choose(*args: Any, name: str | None, key: str | None, **given: Any) -> Any:
            if name and is_typed("key") and name != key:
                raise click.UsageError(f"Which profile: '{name}' or '{key}'?")
            return command(*args, key=name or key, **given)

        chosen = argument("name", required=False, metavar="[KEY]", completes="profiles")
        return chosen(option(choose))

    return decorate


user = option(
    "-u",
    "--user",
    "--usr",
    "user",
    env="USER",
    metavar="USER",
    section=SIGN_IN,
    help="Your user name.  [default: the signed-in user's]",
)
password = option(
    "-p",
    "--password",
    "--pwd",
    "password",
    env="PASSWORD",
    metavar="PASS",
    section=SIGN_IN,
    help="Your password, which other programs can see here.",
)
password_stdin = option(
    "--password-stdin",
    env="PASSWORD_STDIN",
    is_flag=True,
    section=SIGN_IN,
    help="Read the password from standard input.",
)
quiet = option(
    "-q",
    "--quiet",
    env="QUIET",
    is_flag=True,
    section=COMMON,
    expose_value=False,
    callback=lambda ctx, _, given: ctx.meta.update({QUIET: given}),
    help="Hide status messages; print only errors to stderr.",
)
verbose = option(
    "-v",
    "--verbose",
    env="VERBOSE",
    is_flag=True,
    section=COMMON,
    expose_value=False,
    callback=lambda ctx, _, given: ctx.meta.update({VERBOSE: given}),
    help="Print more about the connection.",
)
no_history = option(
    "--no-history",
    env="NO_HISTORY",
    is_flag=True,
    help="Do not save messages for `aws-iot history`.",
)
json_output = option("--json", "as_json", env="JSON", is_flag=True, help="Print one JSON object per line.")
aws_profile = option(
    "--aws-profile",
    env="AWS_PROFILE",
    metavar="NAME",
    section=COMMON,
    help="The AWS profile in ~/.aws/config whose credentials to use.",
)
timeout = option(
    "--timeout",
    env="TIMEOUT",
    type=Number(0.1, 3600),
    default=TIMEOUT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    section=COMMON,
    expose_value=False,
    callback=_set_timeout,
    help="Time limit of one step: a request, a connection, an acknowledgement.",
)


def _answer(wants: str, *names: str, env: str, **attributes: Any) -> Decorator:
    """An option that answers a challenge in advance. `wants` is the challenge's word for it."""

    def note(ctx: click.Context, _: click.Parameter, given: str | None) -> None:
        if given:
            ctx.meta.setdefault(ANSWERS, {})[wants] = given

    return option(
        *names,
        env=env,
        expose_value=False,
        callback=note,
        metavar=wants.upper(),
        section=SIGN_IN,
        **attributes,
    )


mfa_code = _answer(
    "code", "--mfa-code", env="MFA_CODE", help="The code from your app, text message or e-mail."
)
mfa_method = _answer(
    "choice",
    "--mfa-method",
    env="MFA_METHOD",
    completes=("SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP"),
    help="The MFA method: SOFTWARE_TOKEN_MFA, SMS_MFA …",
)
new_password = _answer(
    "password",
    "--new-password",
    env="NEW_PASSWORD",
    help="Your new password, if an admin set the current one.",
)


def _note_attributes(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
    for one in given:
        name, found, value = one.partition("=")
        if not (name and found):
            raise click.BadParameter(f"'{one}' is not NAME=VALUE.")
        ctx.meta.setdefault(ATTRIBUTES, {})[name] = value


attribute = option(
    "--attribute",
    env="ATTRIBUTE",
    multiple=True,
    expose_value=False,
    callback=_note_attributes,
    metavar="NAME=VALUE",
    section=SIGN_IN,
    help="An attribute that the user pool requires, such as nickname=Al; can be repeated.",
)


def signing_in(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that signs in."""
    for decorate in (
        timeout,
        quiet,
        attribute,
        new_password,
        mfa_method,
        mfa_code,
        password_stdin,
        password,
        user,
        profile,
    ):
        command = decorate(command)
    return command


def is_typed(name: str) -> bool:
    """Whether the parameter was given on the command line, not by a variable."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def refuse_before_subcommand(ctx: click.Context) -> None:
    """Reject options before a subcommand, which would have no effect; for a group that is a command, too."""
    for name in ctx.params:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"Put options after '{ctx.invoked_subcommand}'.")
