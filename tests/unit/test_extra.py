"""What to install for the local stack."""

from importlib.metadata import requires

from packaging.requirements import Requirement

from aws_iot.local import extra


def test_every_package_of_the_extra_is_checked_and_named_with_its_version() -> None:
    wanted = [Requirement(one) for one in requires("aws-iot-cli") or ()]
    local = [one for one in wanted if one.marker and one.marker.evaluate({"extra": "local"})]
    assert {one.name for one in local} == {*extra.PACKAGES}
    named = [Requirement(one) for one in extra._requirements(list(extra.PACKAGES))]
    assert {(one.name, one.specifier) for one in named} == {(one.name, one.specifier) for one in local}
