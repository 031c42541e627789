"""An app client with a secret: the person stores it once, and every call to Cognito proves it."""

import uuid
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.errors import SessionEnded
from tests.in_process import run_here
from tests.processes import PASSWORD, Stack, environment, session_of


def test_an_app_client_with_a_secret(stack: Stack, tmp_path: Path) -> None:
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = stack.app_client(GenerateSecret=True, ExplicitAuthFlows=flows)
    env = environment(tmp_path)
    profile = stack.profile._replace(client_id=made["ClientId"])
    App.in_folder(tmp_path).config.profiles.change("default", lambda _: profile)
    name = f"user-{uuid.uuid4().hex[:8]}"
    address = f"{name}@example.com"
    signup = f"signup -u {name} -p {PASSWORD} -e {address}"

    assert "aws-iot config --client-secret -k default" in run_here(signup, env, ends=3).stderr
    run_here("config --client-secret wrong", env)
    assert "aws-iot config --client-secret -k default" in run_here(signup, env, ends=3).stderr
    secret = made["ClientSecret"]
    assert "AWS_IOT_CONFIG_CLIENT_SECRET" in run_here("config --client-secret", env, ends=2).stderr
    done = run_here("config --client-secret", env | {"AWS_IOT_CONFIG_CLIENT_SECRET": secret})
    assert secret not in done.stderr + run_here("config show", env).stdout

    run_here(signup, env)
    run_here(f"confirm -u {name} --resend", env)
    run_here(f"confirm -u {name} -c 123456", env)
    run_here(f"password reset -u {name}", env)
    run_here(f"password reset -u {name} -c 654321 --new-password {PASSWORD}2", env)
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
