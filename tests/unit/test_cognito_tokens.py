"""The name of a user pool to the identity pool, from the token that it issued."""

import base64
import json

import pytest

from aws_iot.aws.cognito.tokens import login_provider
from tests.fakes import FakeCloud

POOL = "us-gov-west-1_AbCdEf123"
PROFILE = FakeCloud().profile._replace(user_pool_id=POOL)


def token(claims: object) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{encoded}.c2ln"


@pytest.mark.parametrize(
    "host",
    [
        "cognito-idp.us-gov-west-1.amazonaws.com",
        "cognito-idp.cn-north-1.amazonaws.com.cn",
        "cognito-idp.us-iso-east-1.c2s.ic.gov",
        "issuer.cognito-idp.us-east-1.example",
    ],
)
def test_it_is_the_issuer_of_the_token(host: str) -> None:
    assert login_provider(token({"iss": f"https://{host}/{POOL}", "x": "ü"}), PROFILE) == f"{host}/{POOL}"


@pytest.mark.parametrize(
    "id_token",
    [
        "",
        "opaque",
        "a.b.c",
        "a.é.c",
        token([]),
        token({}),
        token({"iss": 7}),
        token({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"}),
        token({"iss": POOL}),
    ],
)
def test_without_an_issuer_of_this_user_pool_it_is_made_from_the_region(id_token: str) -> None:
    assert login_provider(id_token, PROFILE) == f"cognito-idp.us-gov-west-1.amazonaws.com/{POOL}"


def test_the_domain_is_that_of_the_partition() -> None:
    profile = PROFILE._replace(user_pool_id="cn-north-1_AbCdEf123")
    assert login_provider("", profile) == "cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEf123"
