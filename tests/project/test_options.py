"""Rules for every command and option, and the options of the npm tool."""

import re
from collections import Counter

import click
import pytest

from aws_iot.cli.secret_variables import SECRET_VARIABLES
from tests.conftest import REPOSITORY
from tests.project.commands import COMMANDS, OPTIONS

# What a person sees at once needs no example.
OBVIOUS = {"config list", "config show", "config remove"}

KEY = {"-k", "--key", "--profile"}
USER = {"-u", "--usr", "--user"}
PASSWORD = {"-p", "--pwd", "--password"}
ORIGINAL = {
    "config": [{"-s", "--set"}, KEY, USER, PASSWORD],
    "signup": [KEY, USER, PASSWORD, {"-e", "--email"}],
    "confirm": [KEY, USER, {"-c", "--code"}],
    "sub": [KEY, USER, PASSWORD],
    "pub": [KEY, USER, PASSWORD, {"-r", "--room"}, {"-m", "--msg", "--message"}],
}
"""The options of the npm tool, each under its old names and, where it got one, the new."""


def names(path: str, option: click.Option) -> str:
    return f"aws-iot {path} {'/'.join(option.opts)}"


def test_every_option_has_help_and_an_environment_variable() -> None:
    shown = (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8")
    for path, option in OPTIONS:
        name = names(path, option)
        assert option.help, f"{name} does not say what it is for"
        assert isinstance(option.envvar, str), f"{name} has no variable: use cli.options.option"
        assert option.envvar.startswith("AWS_IOT_"), name
        assert option.hidden or f"`{option.envvar}`" in shown, f"{name}: run `make docs`"


def test_no_child_process_inherits_the_variable_of_an_option_for_a_secret() -> None:
    found = {
        option.envvar
        for _, option in OPTIONS
        if not option.is_flag and re.search("secret|password|pwd|code|token", " ".join(option.opts))
    }
    assert found == SECRET_VARIABLES


def test_a_variable_confirms_only_one_command() -> None:
    variables = Counter(option.envvar for _, option in OPTIONS if "--yes" in option.opts)
    assert [variable for variable, uses in variables.items() if uses > 1] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_help(path: str) -> None:
    help_text = COMMANDS[path].help or ""
    assert help_text.strip(), f"aws-iot {path} has no docstring"


@pytest.mark.parametrize(
    "path", [path for path, c in COMMANDS.items() if not isinstance(c, click.Group) and path not in OBVIOUS]
)
def test_the_help_of_a_command_ends_with_an_example(path: str) -> None:
    _, found, examples = (COMMANDS[path].help or "").rpartition("Example")
    assert found, f"aws-iot {path} --help shows no example"
    assert f"aws-iot {path}" in examples


@pytest.mark.parametrize(
    ("path", "wanted"),
    [pytest.param(p, w, id=f"{p} {min(w)}") for p, all_wanted in ORIGINAL.items() for w in all_wanted],
)
def test_the_options_of_the_npm_tool_exist_under_old_and_new_names(path: str, wanted: set[str]) -> None:
    assert [option for where, option in OPTIONS if where == path and wanted <= set(option.opts)]


@pytest.mark.parametrize("path", [path for path in COMMANDS if path and " " not in path])
def test_the_summary_of_a_command_is_the_first_sentence_of_its_help(path: str) -> None:
    root = COMMANDS[""]
    listed = root.get_help(click.Context(root, info_name="aws-iot", terminal_width=100))
    first_sentence = (COMMANDS[path].help or "").partition("\n\n")[0].replace("\n", " ")
    assert f"  {path} " in listed
    assert first_sentence in listed


EMPTY_MAKES_SENSE = {("pub", "message"), ("credentials exec", "command")}


@pytest.mark.parametrize("path", COMMANDS)
def test_an_empty_value_is_rejected(path: str) -> None:
    for param in COMMANDS[path].params:
        if getattr(param, "is_flag", False) or (path, param.name) in EMPTY_MAKES_SENSE:
            continue
        for value in ("", "  "):
            words = [param.opts[0], *[value] * param.nargs] if isinstance(param, click.Option) else [value]
            with pytest.raises(click.BadParameter, match=r"it is (empty|only blanks)") as error:
                COMMANDS[path].make_context(path, words)
            assert error.value.param is param


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, option in OPTIONS:
        if option.is_flag:
            continue
        context = click.Context(COMMANDS[path])
        for empty in ("", "\n", "\r\n\n") if option.multiple else ("",):
            monkeypatch.setenv(str(option.envvar), empty)
            _, source = option.consume_value(context, {})
            assert source is not click.core.ParameterSource.ENVIRONMENT, names(path, option)


@pytest.mark.parametrize(
    ("path", "option"), [pytest.param(*o, id=names(*o)) for o in OPTIONS if o[1].multiple]
)
def test_each_line_of_a_variable_is_a_value_of_an_option_that_can_be_repeated(
    path: str, option: click.Option, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(str(option.envvar), "one value:with blanks\r\n\n/another;value,\n")
    values, _ = option.consume_value(click.Context(COMMANDS[path]), {})
    assert values == ["one value:with blanks", "/another;value,"]
