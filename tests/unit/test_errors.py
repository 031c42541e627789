"""Every expected failure has a documented exit code, and may have a hint."""

import inspect
import re

import pytest

from aws_iot import errors
from aws_iot.errors import AwsIotError, NotInstalled

TREE = {
    name: int(code) for name, code in re.findall(r"^[├└]── (\w+) +(\d+) ", errors.__doc__ or "", re.MULTILINE)
}
KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, AwsIotError) and kind is not AwsIotError
]
FAMILIES = [kind for kind in KINDS if kind.__bases__ == (AwsIotError,)]


def test_the_tree_lists_each_family_of_failures_with_its_exit_code() -> None:
    assert {family.__name__: family.exit_code for family in FAMILIES} == TREE


def test_no_two_families_share_an_exit_code() -> None:
    assert len({family.exit_code for family in FAMILIES}) == len(FAMILIES)


@pytest.mark.parametrize("kind", [*KINDS, NotInstalled])
def test_every_failure_has_an_exit_code_of_the_tree(kind: type[AwsIotError]) -> None:
    assert kind.exit_code in TREE.values()


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_has_the_exit_code_of_its_family(kind: type[AwsIotError]) -> None:
    assert [kind.exit_code] == [family.exit_code for family in FAMILIES if issubclass(kind, family)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_failure_has_an_exit_code_of_click_or_python(kind: type[AwsIotError]) -> None:
    assert kind.exit_code not in (0, 1, 2)


@pytest.mark.parametrize("kind", [AwsIotError, *KINDS])
def test_a_failure_has_a_message_and_may_have_a_hint(kind: type[AwsIotError]) -> None:
    assert str(kind("it broke")) == "it broke"
    assert kind("it broke").hint is None
    assert kind("it broke", hint="Mend it.").hint == "Mend it."
