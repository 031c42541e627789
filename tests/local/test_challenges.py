"""Challenges of a real user pool: a password that an admin set, and the code of an authenticator app."""

import base64
import hashlib
import hmac
import struct
import time
import uuid
from collections.abc import Iterator
from configparser import ConfigParser
from typing import Any

import boto3
import pytest

from aws_iot.errors import CodeRefused
from aws_iot.session import Answer, Challenge, Session
from tests.processes import PASSWORD, Stack, run, session_of


@pytest.fixture(scope="module")
def user_pool(stack: Stack) -> Iterator[Any]:
    """The user pool, as its admin has it, with authenticator apps allowed."""
    keys = ConfigParser()
    keys.read(stack.folder / "admin-credentials")
    admin = boto3.client(
        "cognito-idp", region_name="us-east-1", endpoint_url=stack.profile.cognito_idp_url, **keys["default"]
    )
    admin.set_user_pool_mfa_config(
        UserPoolId=stack.profile.user_pool_id,
        SoftwareTokenMfaConfiguration={"Enabled": True},
        MfaConfiguration="OPTIONAL",
    )
    yield admin
    admin.close()


def totp(secret: str) -> str:
    """The code of an authenticator app now: RFC 6238."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = digest[-1] & 0xF
    number: int = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def test_who_got_a_password_from_an_admin_chooses_one(stack: Stack, user_pool: Any) -> None:
    username = f"user-{uuid.uuid4().hex[:8]}"
    user_pool.admin_create_user(
        UserPoolId=stack.profile.user_pool_id,
        Username=username,
        TemporaryPassword="Temp0rary",
        MessageAction="SUPPRESS",
    )
    accounts = stack.app().accounts(stack.profile)
    challenge = accounts.sign_in(username, "Temp0rary")
    assert isinstance(challenge, Challenge)
    assert (challenge.kind, challenge.wants) == ("NEW_PASSWORD_REQUIRED", "password")
    assert isinstance(accounts.answer(challenge, Answer(PASSWORD)), Session)
    session_of(accounts, username)


def test_the_code_of_an_authenticator_app_is_asked_for(stack: Stack, user_pool: Any) -> None:
    person = stack.person()
    accounts = stack.app().accounts(stack.profile)
    token = session_of(accounts, person.username).access_token
    secret = user_pool.associate_software_token(AccessToken=token)["SecretCode"]
    user_pool.verify_software_token(AccessToken=token, UserCode=totp(secret))
    user_pool.set_user_mfa_preference(
        AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
    )

    challenge = accounts.sign_in(person.username, PASSWORD)
    assert isinstance(challenge, Challenge)
    assert (challenge.kind, challenge.wants) == ("SOFTWARE_TOKEN_MFA", "code")
    with pytest.raises(CodeRefused):
        accounts.answer(challenge, Answer("000000"))
    assert isinstance(accounts.answer(challenge, Answer(totp(secret))), Session)

    run(f"pub -r lobby -m hello -p {PASSWORD} --mfa-code {totp(secret)}", person.env)
