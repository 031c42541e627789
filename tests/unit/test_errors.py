"""Every expected failure has a documented exit code, and may have a hint."""

import inspect
import re

import pytest

from aws_iot import errors
from aws_iot.errors import AwsIotError
from tests.conftest import REPOSITORY

EXIT_CODES = {
    "LocalError": 3,
    "SignInRefused": 4,
    "NotAuthorized": 5,
    "Unreachable": 6,
    "ServiceRefused": 7,
    "NothingArrived": 8,
    "CommandFailed": 9,
    "Indeterminate": 10,
}
"""Scripts depend on these numbers: none may change."""

MISTYPED = {"InvalidIdentity": 2, "InvalidRoom": 2}
"""What is known to be wrong before anything is sent has the exit code of wrong options."""

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, AwsIotError) and kind is not AwsIotError
]


def family(kind: type[AwsIotError]) -> str:
    """The class below `AwsIotError` from which the kind is derived."""
    return kind.__mro__[kind.__mro__.index(AwsIotError) - 1].__name__


def test_every_failure_has_the_exit_code_of_its_family() -> None:
    assert {family(kind) for kind in KINDS} == set(EXIT_CODES)
    assert {kind.__name__: kind.exit_code for kind in KINDS} == {
        kind.__name__: MISTYPED.get(kind.__name__, EXIT_CODES[family(kind)]) for kind in KINDS
    }


def test_the_module_documents_each_exit_code() -> None:
    documented = re.findall(r"^[├└]── (\w+) +(\d+) ", errors.__doc__ or "", re.MULTILINE)
    assert {name: int(code) for name, code in documented} == EXIT_CODES


def test_the_readme_documents_each_exit_code() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)
    assert [int(code) for code in documented] == [0, 1, 2, *EXIT_CODES.values()]


@pytest.mark.parametrize("kind", [AwsIotError, *KINDS])
def test_a_failure_says_what_failed_and_may_say_what_to_do_next(kind: type[AwsIotError]) -> None:
    assert (str(kind("it broke")), kind("it broke").hint) == ("it broke", None)
    error = kind("it broke", hint="Repair it.")
    assert (str(error), error.hint) == ("it broke", "Repair it.")
