"""Accounts of a Cognito user pool: sign up, confirm, reset a password, and refresh and revoke sessions."""

import secrets
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_iot.auth.accounts import Challenge, ChallengeAnswer, CodeSent
from aws_iot.auth.session import Device, RefreshToken, Session
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.account import CognitoAccount
from aws_iot.aws.cognito.tokens import session_from
from aws_iot.aws.cognito.user_pool import SESSION_REFUSALS, UserPool
from aws_iot.errors import CodeRefused, ServiceRefused, SessionEnded, SignInRefused

if TYPE_CHECKING:
    from aws_iot.aws.cognito.sign_in import CognitoSignIn


SRP_BYTES = 384
"""Number of bytes in a public value of SRP: RFC 5054's group of 3072 bits."""


class CognitoAccounts:
    """`Accounts` of a user pool."""

    def __init__(self, pool: UserPool) -> None:
        self._pool = pool

    def sign_up(self, username: str, password: str, email: str) -> CodeSent | None:
        reply = self._pool.call(
            username,
            "sign_up",
            _SIGN_UP_REFUSALS,
            **self._pool.client(username),
            Username=username,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
            once=True,
        )
        return None if reply["UserConfirmed"] else _code_sent(reply)

    def confirm(self, username: str, code: str) -> None:
        self._pool.call(
            username,
            "confirm_sign_up",
            _CONFIRM_REFUSALS,
            **self._pool.client(username),
            Username=username,
            ConfirmationCode=code,
            ForceAliasCreation=True,
            once=True,
        )

    def resend_code(self, username: str) -> CodeSent:
        return self._send_code(username, "resend_confirmation_code")

    def request_reset(self, username: str) -> CodeSent:
        return self._send_code(username, "forgot_password")

    def _send_code(self, username: str, operation: str) -> CodeSent:
        client = self._pool.client(username)
        return _code_sent(self._pool.call(username, operation, **client, Username=username, once=True))

    def reset(self, username: str, code: str, new_password: str) -> None:
        self._pool.call(
            username,
            "confirm_forgot_password",
            _RESET_REFUSALS,
            **self._pool.client(username),
            Username=username,
            ConfirmationCode=code,
            Password=new_password,
            once=True,
        )

    @cached_property
    def _sign_in(self) -> "CognitoSignIn":
        # Here: pycognito takes long to load, and only a sign-in needs it.
        from aws_iot.aws.cognito.sign_in import CognitoSignIn

        return CognitoSignIn(self._pool)

    def sign_in(self, username: str, password: str, device: Device | None = None) -> Session | Challenge:
        return self._sign_in.sign_in(username, password, device)

    def are_same(self, one: str, other: str) -> bool:
        return self._name_of(one) == self._name_of(other)

    def _name_of(self, username: str) -> str:
        """The account's own name: a sign-in begins with it, before any proof."""
        secret_hash = self._pool.secret_hash(username)
        begun = self._pool.call(
            username,
            "initiate_auth",
            AuthFlow="USER_SRP_AUTH",
            ClientId=self._pool.profile.client_id,
            AuthParameters={"USERNAME": username, "SRP_A": secrets.token_hex(SRP_BYTES)}
            | ({"SECRET_HASH": secret_hash} if secret_hash else {}),
        )
        name: str = begun["ChallengeParameters"]["USER_ID_FOR_SRP"]
        return name

    def answer(self, challenge: Challenge, answer: ChallengeAnswer) -> Session | Challenge:
        return self._sign_in.answer(challenge, answer)

    def refresh(self, token: RefreshToken) -> Session:
        # Unlike the flow REFRESH_TOKEN_AUTH, this also works for app clients that rotate refresh tokens:
        # docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
        reply = self._pool.call(
            token.username,
            "get_tokens_from_refresh_token",
            SESSION_REFUSALS,
            RefreshToken=token.value,
            **self._pool.client_itself(),
            **({"DeviceKey": token.device.key} if token.device else {}),
            once=True,
        )
        return session_from(reply, token.username, self._pool.now, device=token.device, refresh_token=token)

    def revoke(self, token: RefreshToken) -> None:
        client = self._pool.client_itself()
        with suppress(SessionEnded):
            self._pool.call(token.username, "revoke_token", SESSION_REFUSALS, Token=token.value, **client)

    def of(self, session: Session) -> CognitoAccount:
        return CognitoAccount(self._pool, session)


def _code_sent(reply: dict[str, Any]) -> CodeSent:
    delivery = reply.get("CodeDeliveryDetails", {})
    return CodeSent(delivery.get("Destination"), delivery.get("DeliveryMedium"))


def _created_without_code(message: str) -> ServiceRefused:
    return ServiceRefused(
        f"no code could be sent: {message}",
        hint="The account may exist nevertheless. Later: aws-iot confirm -u USER --resend -k KEY",
    )


_SIGN_UP_REFUSALS: Refusals = {
    # Cognito can answer these although it has created the account, according to botocore's model of SignUp.
    "LimitExceededException": _created_without_code,
    "CodeDeliveryFailureException": _created_without_code,
}

_RESET_REFUSALS: Refusals = {
    "CodeMismatchException": lambda _: CodeRefused(
        "this is not the code that was sent", hint="Get a new one: aws-iot password reset -u USER -k KEY"
    ),
    "ExpiredCodeException": lambda _: CodeRefused(
        "this code is wrong or has expired", hint="Get a new one: aws-iot password reset -u USER -k KEY"
    ),
}

_CONFIRM_REFUSALS: Refusals = {
    "CodeMismatchException": lambda _: CodeRefused(
        "this is not the code that was sent",
        hint="Type it again, or get a new one: aws-iot confirm -u USER --resend -k KEY",
    ),
    "NotAuthorizedException": lambda message: (
        SignInRefused("this account is already confirmed", hint="Sign in: aws-iot login -u USER -k KEY")
        if "CONFIRMED" in message
        else SignInRefused(f"this account cannot be confirmed: {message}")
    ),
}
