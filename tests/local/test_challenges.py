"""Challenges of a real user pool: a password that an admin set, and the code of an authenticator app."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_iot.app import App
from aws_iot.auth.challenges import Challenge, ChallengeAnswer
from aws_iot.auth.session import Session
from aws_iot.errors import CodeRefused, SessionEnded
from tests.processes import PASSWORD, Stack, environment, run, session_of, totp


@pytest.fixture(scope="module")
def user_pool(stack: Stack) -> Any:
    """The user pool, as its admin uses it, with authenticator apps allowed."""
    admin = stack.user_pool
    admin.set_user_pool_mfa_config(
        UserPoolId=stack.profile.user_pool_id,
        SoftwareTokenMfaConfiguration={"Enabled": True},
        MfaConfiguration="OPTIONAL",
    )
    return admin


def test_a_password_that_an_admin_set_must_be_replaced(stack: Stack, user_pool: Any) -> None:
    username = f"user-{uuid.uuid4().hex[:8]}"
    user_pool.admin_create_user(
        UserPoolId=stack.profile.user_pool_id,
        Username=username,
        TemporaryPassword="Temp0rary",
        MessageAction="SUPPRESS",
    )
    accounts = stack.app().auth.accounts(stack.profile)
    challenge = accounts.sign_in(username, "Temp0rary")
    assert isinstance(challenge, Challenge)
    assert (challenge.kind, challenge.wants) == ("NEW_PASSWORD_REQUIRED", "password")
    assert isinstance(accounts.answer(challenge, ChallengeAnswer(PASSWORD)), Session)
    session_of(accounts, username)


def test_a_code_of_an_authenticator_app_is_required(stack: Stack, user_pool: Any) -> None:
    person = stack.person()
    accounts = stack.app().auth.accounts(stack.profile)
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
        accounts.answer(challenge, ChallengeAnswer("000000"))
    assert isinstance(accounts.answer(challenge, ChallengeAnswer(totp(secret))), Session)

    run(f"pub -r lobby -m hello -p {PASSWORD} --mfa-code {totp(secret)}", person.env)


def test_an_app_client_with_a_secret(stack: Stack, tmp_path: Path) -> None:
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = stack.app_client(GenerateSecret=True, ExplicitAuthFlows=flows)
    env = environment(tmp_path)
    profile = replace(stack.profile, client_id=made["ClientId"])
    App.in_folder(tmp_path).config.profiles.change("default", lambda _: profile)
    name = f"user-{uuid.uuid4().hex[:8]}"
    address = f"{name}@example.com"
    signup = f"signup -u {name} -p {PASSWORD} -e {address}"

    assert "aws-iot config --client-secret -k default" in run(signup, env, ends=3).stderr
    run("config --client-secret wrong", env)
    assert "aws-iot config --client-secret -k default" in run(signup, env, ends=3).stderr
    secret = made["ClientSecret"]
    assert "AWS_IOT_CONFIG_CLIENT_SECRET" in run("config --client-secret", env, ends=2).stderr
    done = run("config --client-secret", env | {"AWS_IOT_CONFIG_CLIENT_SECRET": secret})
    assert secret not in done.stderr + run("config show", env).stdout

    run(signup, env)
    run(f"confirm -u {name} --resend", env)
    run(f"confirm -u {name} -c 123456", env)
    run(f"password reset -u {name}", env)
    run(f"password reset -u {name} -c 654321 --new-password {PASSWORD}2", env)
    app = App.in_folder(tmp_path)
    accounts = app.auth.accounts(app.config.profiles.load("default"))
    for typed in (name, address):  # the hash is of the name that Cognito knows, not of the alias
        token = session_of(accounts, typed, f"{PASSWORD}2").refresh_token
        assert token
        assert accounts.refresh(token).id_token
    assert token
    accounts.revoke(token)
    with pytest.raises(SessionEnded):
        accounts.refresh(token)
