"""The forms in which people write identities."""

import pytest

from aws_iot.identities import IdentityPrefix

IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


@pytest.mark.parametrize(
    "text",
    [
        IDENTITY,
        IDENTITY[:-1],
        IDENTITY[:14],
        "4f9fa251-0ed5-4578-add0-985024739222",
        "4f9fa251-",
        "4f9fa251",
        "4f9f",
        "4F9FA251",
        "bob~4F9FA251",
        "bob~4f9fa251",
        '"b~o b"~4f9fa251',
        "~4f9fa251",
    ],
)
def test_an_identity_is_meant_by_itself_its_beginning_and_the_form_that_sub_prints(text: str) -> None:
    prefix = IdentityPrefix.parse(text)
    assert prefix
    assert prefix.matches(IDENTITY)
    assert not prefix.matches("us-east-1:4f9ea251-0ed5-4578-add0-985024739222")
    assert prefix.matches(IDENTITY.replace("us-east-1", "eu-west-1")) == ("us-east-1" not in text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "4f9",
        "4f9fa2510",
        f"{IDENTITY}0",
        f"{IDENTITY}-worker",
        f"bob~{IDENTITY}",
        "bob~",
        "us-east-1:",
        ":4f9fa251",
        "here:4f9fa251",
        " 4f9fa251",
        "4f9fa251…",
    ],
)
def test_everything_else_means_no_identity(text: str) -> None:
    assert IdentityPrefix.parse(text) is None


def test_a_caller_can_ask_for_more_digits() -> None:
    assert IdentityPrefix.parse("4f9fa25", fewest=8) is None
    assert IdentityPrefix.parse("4f9fa251", fewest=8) == IdentityPrefix(None, "4f9fa251")
