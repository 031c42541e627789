"""Accounts of a Cognito user pool, and the credentials that an identity pool gives to them."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pycognito.aws_srp import AWSSRP

from aws_iot.aws.clients import Address, Refusals, Service
from aws_iot.credentials import Credentials
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    ChallengeNotSupported,
    CodeRefused,
    CredentialsRefused,
    ProfileError,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
)
from aws_iot.profile import Profile
from aws_iot.session import Answer, Challenge, CodeSent, Session


class CognitoAccounts:
    """`Accounts` of the profile's user pool. Every call is unsigned; `timeout` is in seconds, for each."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], timeout: float) -> None:
        self._profile = profile
        self._now = now
        self._timeout = timeout
        self._address = Address(
            "cognito-idp", profile.user_pool_region, profile.cognito_idp_url, profile.ca_bundle
        )

    @cached_property
    def _pool(self) -> Service:
        return Service.unsigned(self._address, self._now, self._timeout)

    @cached_property
    def _pool_once(self) -> Service:
        """For what cannot be repeated: an account that was made, or confirmed, by a call whose answer was lost."""
        return Service.unsigned(self._address, self._now, self._timeout, attempts=1)

    def sign_up(self, username: str, password: str, email: str) -> CodeSent | None:
        with _hints_for(self._profile, username):
            reply = self._pool_once.call(
                "sign_up",
                _REFUSALS | _SIGN_UP_REFUSALS,
                ClientId=self._profile.client_id,
                Username=username,
                Password=password,
                UserAttributes=[{"Name": "email", "Value": email}],
            )
        return None if reply["UserConfirmed"] else _code_sent(reply)

    def confirm(self, username: str, code: str) -> None:
        with _hints_for(self._profile, username):
            self._pool_once.call(
                "confirm_sign_up",
                _REFUSALS | _CONFIRM_REFUSALS,
                ClientId=self._profile.client_id,
                Username=username,
                ConfirmationCode=code,
                ForceAliasCreation=True,
            )

    def resend_code(self, username: str) -> CodeSent:
        with _hints_for(self._profile, username):
            client_id = self._profile.client_id
            return _code_sent(
                self._pool_once.call(
                    "resend_confirmation_code", _REFUSALS, ClientId=client_id, Username=username
                )
            )

    def sign_in(self, username: str, password: str) -> Session | Challenge:
        # pycognito does the arithmetic; the calls are ours, since its own raise some challenges and return others.
        client_id = self._profile.client_id
        srp = AWSSRP(username, password, self._profile.user_pool_id, client_id, client=self._pool.client)
        start = srp.get_auth_params()
        with _hints_for(self._profile, username):
            reply = self._pool.call(
                "initiate_auth", _REFUSALS, AuthFlow="USER_SRP_AUTH", ClientId=client_id, AuthParameters=start
            )
            if reply.get("ChallengeName") == "PASSWORD_VERIFIER":
                reply = self._pool.call(
                    "respond_to_auth_challenge",
                    _REFUSALS,
                    ClientId=client_id,
                    ChallengeName="PASSWORD_VERIFIER",
                    ChallengeResponses=srp.process_challenge(reply["ChallengeParameters"], start),
                )
        return self._step(username, reply)

    def answer(self, challenge: Challenge, answer: Answer) -> Session | Challenge:
        responses = {
            "USERNAME": challenge.username,
            _ANSWERS[challenge.kind]: answer.value,
            **{f"userAttributes.{name}": value for name, value in answer.attributes},
        }
        with _hints_for(self._profile, challenge.username):
            reply = self._pool_once.call(
                "respond_to_auth_challenge",
                _REFUSALS | _ANSWER_REFUSALS,
                ClientId=self._profile.client_id,
                ChallengeName=challenge.kind,
                Session=challenge.session,
                ChallengeResponses=responses,
            )
        return self._step(challenge.username, reply)

    def renew(self, session: Session) -> Session:
        if session.refresh_token is None:
            raise SignInRefused("this session cannot be renewed", hint="Sign in again.")
        with _hints_for(self._profile, session.username):
            # Unlike the flow REFRESH_TOKEN_AUTH, this serves clients whose refresh tokens rotate, too:
            # docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
            reply = self._pool_once.call(
                "get_tokens_from_refresh_token",
                _REFUSALS | _RENEW_REFUSALS,
                RefreshToken=session.refresh_token,
                ClientId=self._profile.client_id,
            )
        return self._session(session.username, reply, session.refresh_token)

    def request_reset(self, username: str) -> CodeSent:
        with _hints_for(self._profile, username):
            client_id = self._profile.client_id
            return _code_sent(
                self._pool_once.call("forgot_password", _REFUSALS, ClientId=client_id, Username=username)
            )

    def reset(self, username: str, code: str, new_password: str) -> None:
        with _hints_for(self._profile, username):
            self._pool_once.call(
                "confirm_forgot_password",
                _REFUSALS | _RESET_REFUSALS,
                ClientId=self._profile.client_id,
                Username=username,
                ConfirmationCode=code,
                Password=new_password,
            )

    def change_password(self, session: Session, old: str, new: str) -> None:
        with _hints_for(self._profile, session.username):
            self._pool_once.call(
                "change_password",
                _REFUSALS,
                AccessToken=session.access_token,
                PreviousPassword=old,
                ProposedPassword=new,
            )

    def sign_out(self, session: Session, *, everywhere: bool) -> None:
        with _hints_for(self._profile, session.username):
            try:
                if everywhere:
                    self._pool.call(
                        "global_sign_out", _REFUSALS | _RENEW_REFUSALS, AccessToken=session.access_token
                    )
                elif session.refresh_token:
                    client_id = self._profile.client_id
                    self._pool.call(
                        "revoke_token", _REFUSALS, Token=session.refresh_token, ClientId=client_id
                    )
            except SessionEnded:
                return

    def _step(self, username: str, reply: dict[str, Any]) -> Session | Challenge:
        if "AuthenticationResult" in reply:
            return self._session(username, reply, None)
        return _challenge(username, reply)

    def _session(self, username: str, reply: dict[str, Any], refresh_token: str | None) -> Session:
        tokens = reply["AuthenticationResult"]
        return Session(
            username=username,
            id_token=tokens["IdToken"],
            access_token=tokens["AccessToken"],
            refresh_token=tokens.get("RefreshToken", refresh_token),  # a renewal keeps the old one
            expires=self._now() + timedelta(seconds=tokens["ExpiresIn"]),
        )


class CognitoIdentityPool:
    """`CredentialIssuer` of the profile's identity pool (the enhanced flow)."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], timeout: float) -> None:
        self._profile = profile
        address = Address(
            "cognito-identity", profile.identity_pool_region, profile.cognito_identity_url, profile.ca_bundle
        )
        self._pool = Service.unsigned(address, now, timeout)

    def issue(self, session: Session, identity: str | None = None) -> Credentials:
        # The provider's name holds the USER pool's region, which may differ from the identity pool's.
        provider = f"cognito-idp.{self._profile.user_pool_region}.amazonaws.com/{self._profile.user_pool_id}"
        logins = {provider: session.id_token}
        pool_id = self._profile.identity_pool_id
        with _hints_for(self._profile, session.username):
            if identity is None:
                found = self._pool.call("get_id", _IDENTITY_REFUSALS, IdentityPoolId=pool_id, Logins=logins)
                identity = found["IdentityId"]
            reply = self._pool.call(
                "get_credentials_for_identity",
                _IDENTITY_REFUSALS,
                IdentityId=identity,
                Logins=logins,
            )
        keys = reply["Credentials"]
        return Credentials(
            identity=reply["IdentityId"],  # differs from the one asked for after identities were merged
            access_key_id=keys["AccessKeyId"],
            secret_access_key=keys["SecretKey"],
            session_token=keys["SessionToken"],
            expires=keys["Expiration"],
        )


@contextmanager
def _hints_for(profile: Profile, username: str) -> Iterator[None]:
    """Say USER and KEY in the hints of refusals as what they are here, so that commands can be copied."""
    try:
        yield
    except AwsIotError as error:
        if error.hint:
            here = {"USER": shlex.quote(username), "KEY": profile.key}
            # Whole words, in one pass: ALLOW_USER_SRP_AUTH stays, and so does what a user name holds.
            error.hint = re.sub(r"\b(USER|KEY)\b", lambda found: here[found[0]], error.hint)
        raise


def _code_sent(reply: dict[str, Any]) -> CodeSent:
    delivery = reply.get("CodeDeliveryDetails", {})
    return CodeSent(delivery.get("Destination"), delivery.get("DeliveryMedium"))


def _challenge(username: str, reply: dict[str, Any]) -> Challenge:
    kind, parameters = reply.get("ChallengeName", ""), reply.get("ChallengeParameters", {})
    if kind not in _ANSWERS:
        raise _unsupported(kind or "an unnamed challenge")
    wants = {"NEW_PASSWORD_REQUIRED": "password", "SELECT_MFA_TYPE": "choice"}.get(kind, "code")
    # An answer goes under the pool's own name for the user, which an alias that was typed is not.
    return Challenge(
        kind=kind,
        username=parameters.get("USERNAME") or parameters.get("USER_ID_FOR_SRP") or username,
        session=reply.get("Session", ""),
        wants=wants,
        choices=tuple(json.loads(parameters.get("MFAS_CAN_CHOOSE") or "[]")),
        attributes=tuple(
            name.removeprefix("userAttributes.")
            for name in json.loads(parameters.get("requiredAttributes") or "[]")
        ),
        destination=parameters.get("CODE_DELIVERY_DESTINATION"),
    )


def _unsupported(challenge: str) -> ChallengeNotSupported:
    return ChallengeNotSupported(
        f"the user pool asks for {challenge}, which this version cannot answer",
        hint="Ask an admin of the user pool to let this account sign in with its password alone.",
    )


def _not_authorized(message: str) -> AwsIotError:
    """NotAuthorizedException says many things, and only its message tells which."""
    if message == "Password attempts exceeded":
        return SignInRefused(
            "too many wrong passwords: the user pool takes none for a while",
            hint="Wait before the next try: it doubles the pause each time, up to about 15 minutes.",
        )
    if message.startswith("Incorrect username or password"):
        return SignInRefused("wrong user name or password")
    if "SECRET_HASH" in message or "secret hash" in message:
        return ProfileError(
            f"the user pool's app client has a secret: {message}",
            hint="Have an admin make an app client without a secret, and put its id into the profile.",
        )
    return SignInRefused(f"the user pool refuses: {message}")


def _invalid_parameter(message: str) -> AwsIotError:
    if "USER_SRP_AUTH is not enabled" in message:
        return ProfileError(
            "the user pool's app client does not allow sign-in by SRP",
            hint="Have an admin add ALLOW_USER_SRP_AUTH to the app client's authentication flows.",
        )
    return ServiceRefused(f"the user pool refuses: {message}")


# Codes and messages: botocore's model of cognito-idp, and the Cognito developer guide's pages on errors.
_REFUSALS: Refusals = {
    "NotAuthorizedException": _not_authorized,
    "InvalidParameterException": _invalid_parameter,
    "UserNotFoundException": lambda _: SignInRefused(
        "there is no such user in this user pool",
        hint="Make an account with: aws-iot signup -u USER -e EMAIL -k KEY",
    ),
    "UserNotConfirmedException": lambda _: AccountNotConfirmed(
        "this account is not confirmed yet",
        hint="Confirm it with the code that was mailed: aws-iot confirm -u USER -c CODE -k KEY"
        " (a new code: aws-iot confirm -u USER --resend -k KEY)",
    ),
    "PasswordResetRequiredException": lambda _: SignInRefused(
        "an admin has reset this account's password",
        hint="Set a new one: aws-iot password reset -u USER -k KEY",
    ),
    "UsernameExistsException": lambda message: ServiceRefused(
        f"this user name is taken: {message}",
        hint="Choose another, or confirm it if it is yours: aws-iot confirm -u USER -c CODE -k KEY",
    ),
    "InvalidPasswordException": lambda message: ServiceRefused(f"the password is too weak: {message}"),
    "CodeMismatchException": lambda _: CodeRefused("this is not the code that was sent"),
    "ExpiredCodeException": lambda _: CodeRefused(
        "this code is not valid any more", hint="Have a new one sent: aws-iot confirm -u USER --resend -k KEY"
    ),
    "ResourceNotFoundException": lambda message: ProfileError(
        f"the user pool or its app client does not exist: {message}",
        hint="Check aws_user_pools_id and aws_user_pools_web_client_id in the profile: aws-iot config show -k KEY",
    ),
}


def _made_but_no_code(message: str) -> ServiceRefused:
    return ServiceRefused(
        f"no code could be sent: {message}",
        hint="The account may be there all the same. Later: aws-iot confirm -u USER --resend -k KEY",
    )


_SIGN_UP_REFUSALS: Refusals = {
    # Cognito can answer these although it has made the account: botocore's model of SignUp says so.
    "LimitExceededException": _made_but_no_code,
    "CodeDeliveryFailureException": _made_but_no_code,
}

# The name of each answer: botocore's model of RespondToAuthChallenge.
_ANSWERS = {
    "SMS_MFA": "SMS_MFA_CODE",
    "SMS_OTP": "SMS_OTP_CODE",
    "EMAIL_OTP": "EMAIL_OTP_CODE",
    "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN_MFA_CODE",
    "SELECT_MFA_TYPE": "ANSWER",
    "NEW_PASSWORD_REQUIRED": "NEW_PASSWORD",
}

_ANSWER_REFUSALS: Refusals = {
    "ExpiredCodeException": lambda _: CodeRefused("this code is not valid any more"),
    "NotAuthorizedException": lambda message: SignInRefused(
        f"the sign-in took too long or was answered already: {message}", hint="Sign in again."
    ),
}

_RESET_REFUSALS: Refusals = {
    "ExpiredCodeException": lambda _: CodeRefused(
        "this code is not valid any more", hint="Have a new one sent: aws-iot password reset -u USER -k KEY"
    ),
}

_CONFIRM_REFUSALS: Refusals = {
    "NotAuthorizedException": lambda message: SignInRefused(
        "this account is confirmed already"
        if "CONFIRMED" in message
        else f"this account cannot be confirmed: {message}"
    ),
}


def _session_ended(message: str) -> SessionEnded:
    return SessionEnded(
        f"the session has ended: {message}", hint="Sign in again: aws-iot login -u USER -k KEY"
    )


_RENEW_REFUSALS: Refusals = {
    "NotAuthorizedException": _session_ended,
    "RefreshTokenReuseException": _session_ended,
    "UserNotFoundException": _session_ended,
}

_IDENTITY_REFUSALS: Refusals = {
    "NotAuthorizedException": lambda message: CredentialsRefused(
        f"the identity pool does not take this user pool's sign-in: {message}",
        hint="Check that the identity pool names this user pool and app client as a provider.",
    ),
    "ResourceNotFoundException": lambda message: ProfileError(
        f"the identity pool does not exist: {message}",
        hint="Check aws_cognito_identity_pool_id in the profile: aws-iot config show -k KEY",
    ),
    "InvalidIdentityPoolConfigurationException": lambda message: ProfileError(
        f"the identity pool has no usable role for signed-in users: {message}"
    ),
    "InvalidParameterException": lambda message: CredentialsRefused(f"the identity pool refuses: {message}"),
}
