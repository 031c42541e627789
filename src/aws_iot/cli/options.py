"""Options that several commands share, each defined once. Every option has an AWS_IOT_… variable."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from aws_iot.app import TIMEOUT_SECONDS, App
from aws_iot.cli.ui.output import QUIET, VERBOSE

ANSWERS = "aws_iot.answers"
"""The key in Click's context under which options note what they answer of a challenge beforehand."""

ATTRIBUTES = "aws_iot.attributes"
"""The same for what a user pool wants to know of a person."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option(*names: str, env: str, **attributes: Any) -> Decorator:
    """An option that can also be given as the environment variable `AWS_IOT_<env>`."""
    return click.option(*names, envvar=f"AWS_IOT_{env}", show_envvar=True, **attributes)


class Once(click.Option):
    """An option of which a second one is surely a mistake: whoever gives two expects both to count.

    Of others the last counts, as everywhere: so an alias in a shell can be overruled.
    """

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ARG002 as Click has it
        parser.add_option(obj=self, opts=self.opts, dest=self.name, action="append", nargs=self.nargs)

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        given = opts.get(self.name or "", [])
        if len(given) > 1 and not ctx.resilient_parsing:
            raise click.UsageError(f"{self.opts[0]} is given {len(given)} times: give it once.", ctx)
        last = {self.name: given[-1]} if given else {}
        return super().handle_parse_result(ctx, {**opts, **last}, args)


class Number(click.FloatRange):
    """A number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):  # which is neither below nor above any bound
            self.fail("nan is not a number.", param, ctx)
        return number


def _stored_profiles(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    app = ctx.obj if isinstance(ctx.obj, App) else App()
    return [CompletionItem(key) for key in app.profiles.keys() if key.startswith(incomplete)]


def _set_timeout(ctx: click.Context, _: click.Parameter, seconds: float) -> None:
    if app := ctx.find_object(App):  # there is none while a shell completes
        app.timeout = seconds


def profile_key(env: str, **attributes: Any) -> Decorator:
    """An option that names a profile; a shell offers those that are stored."""
    names = ("-k", "--profile", "--key", "key")
    return option(*names, env=env, metavar="KEY", shell_complete=_stored_profiles, **attributes)


profile = profile_key("PROFILE", default="default", show_default=True, help="The profile to use.")
user = option(
    "-u",
    "--user",
    "--usr",
    "user",
    env="USER",
    metavar="USER",
    help="Who you are.  [default: who is signed in, else the profile's]",
)
password = option(
    "-p",
    "--password",
    "--pwd",
    "password",
    env="PASSWORD",
    metavar="PASS",
    help="Your password; other programs can see it while this one runs, so better let it ask.",
)
password_stdin = option(
    "--password-stdin", env="PASSWORD_STDIN", is_flag=True, help="Read the password from standard input."
)
quiet = option(
    "-q",
    "--quiet",
    env="QUIET",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _, given: ctx.meta.update({QUIET: given}),
    help="Say nothing but errors on stderr.",
)
verbose = option(
    "-v",
    "--verbose",
    env="VERBOSE",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _, given: ctx.meta.update({VERBOSE: given}),
    help="Say more of what happens to the connection.",
)
json_output = option("--json", "as_json", env="JSON", is_flag=True, help="Print one JSON object a line.")
aws_profile = option(
    "--aws-profile",
    env="AWS_PROFILE",
    metavar="NAME",
    help="Whose AWS credentials to use, as in ~/.aws/config.",
)
timeout = option(
    "--timeout",
    env="TIMEOUT",
    type=Number(0.1, 3600),
    default=TIMEOUT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    expose_value=False,
    callback=_set_timeout,
    help="How long one step (a request, connecting, an acknowledgement) may take.",
)


def _answer(wants: str, *names: str, env: str, help: str) -> Decorator:  # noqa: A002 Click's word
    """An option that answers a challenge beforehand; `wants` is what the challenge calls it."""

    def note(ctx: click.Context, _: click.Parameter, given: str | None) -> None:
        if given:
            ctx.meta.setdefault(ANSWERS, {})[wants] = given

    return option(*names, env=env, expose_value=False, callback=note, metavar=wants.upper(), help=help)


mfa_code = _answer("code", "--mfa-code", env="MFA_CODE", help="A code of your app, text message or e-mail.")
mfa_method = _answer(
    "choice", "--mfa-method", env="MFA_METHOD", help="Which of several: SOFTWARE_TOKEN_MFA, SMS_MFA …"
)
new_password = _answer(
    "password", "--new-password", env="NEW_PASSWORD", help="In place of one that an admin has set."
)


def _note_attributes(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
    for one in given:
        name, found, value = one.partition("=")
        if not found:
            raise click.BadParameter(f"'{one}' is not NAME=VALUE.")
        ctx.meta.setdefault(ATTRIBUTES, {})[name] = value


attribute = option(
    "--attribute",
    env="ATTRIBUTE",
    multiple=True,
    expose_value=False,
    callback=_note_attributes,
    metavar="NAME=VALUE",
    help="What the user pool wants to know of you, such as nickname=Al; can be repeated.",
)


def signing_in(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that signs in."""
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
    """In a group that is a command as well: options that stand before a subcommand would go unheard."""
    for name in ctx.params:
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"Options go behind '{ctx.invoked_subcommand}'.")
