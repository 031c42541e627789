"""Accounts of a Cognito user pool: making them, and signing in."""

import json
import platform
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pycognito.aws_srp import AWSSRP, generate_hash_device

from aws_iot.auth.session import Answer, Challenge, CodeSent, Device, Session
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.account import CognitoAccount, check_verified, code_refused
from aws_iot.aws.cognito.user_pool import REFUSALS, SESSION_REFUSALS, UserPool
from aws_iot.errors import (
    AwsIotError,
    ChallengeNotSupported,
    CodeRefused,
    DeviceForgotten,
    ServiceRefused,
    SignInRefused,
)


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

    def sign_in(self, username: str, password: str, device: Device | None = None) -> Session | Challenge:
        srp = self._srp(username, password, device)
        start = srp.get_auth_params()
        reply = self._pool.call(
            username,
            "initiate_auth",
            _DEVICE_REFUSALS if device else None,
            AuthFlow="USER_SRP_AUTH",
            ClientId=self._pool.profile.client_id,
            AuthParameters=start,
        )
        if reply.get("ChallengeName") == "PASSWORD_VERIFIER":
            proof = srp.process_challenge(reply["ChallengeParameters"], start)
            reply = self._respond(
                username, "PASSWORD_VERIFIER", None, proof, _DEVICE_REFUSALS if device else None
            )
        return self._step(username, reply, device)

    def answer(self, challenge: Challenge, answer: Answer) -> Session | Challenge:
        session, responses = challenge.session, {"USERNAME": challenge.username}
        if challenge.wants == "authenticator":
            verified = self._pool.call(
                challenge.username,
                "verify_software_token",
                _ANSWER_REFUSALS,
                Session=session,
                UserCode=answer.value,
                once=True,
            )
            check_verified(verified)
            session = verified["Session"]
        else:
            responses[_ANSWERS[challenge.kind]] = answer.value
            responses |= {f"userAttributes.{name}": value for name, value in answer.attributes}
        if challenge.device:
            responses["DEVICE_KEY"] = challenge.device.key
        if secret_hash := self._pool.secret_hash(challenge.username):
            responses["SECRET_HASH"] = secret_hash
        refusals = _ANSWER_REFUSALS | (_DEVICE_REFUSALS if challenge.device else {})
        reply = self._respond(challenge.username, challenge.kind, session, responses, refusals)
        return self._step(challenge.username, reply, challenge.device)

    def renew(self, session: Session) -> Session:
        if session.refresh_token is None:
            raise SignInRefused("this session cannot be renewed", hint="Sign in again.")
        # Unlike the flow REFRESH_TOKEN_AUTH, this serves clients whose refresh tokens rotate, too:
        # docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-refresh-token.html
        reply = self._pool.call(
            session.username,
            "get_tokens_from_refresh_token",
            SESSION_REFUSALS,
            RefreshToken=session.refresh_token,
            **self._pool.client_itself(),
            **({"DeviceKey": session.device.key} if session.device else {}),
            once=True,
        )
        return self._session(session.username, reply, session.device, session.refresh_token)

    def of(self, session: Session) -> CognitoAccount:
        return CognitoAccount(self._pool, session)

    def _srp(self, username: str, password: str, device: Device | None) -> AWSSRP:
        """The arithmetic; the calls are ours, since pycognito's raise some challenges and return others."""
        return AWSSRP(
            username,
            password,
            self._pool.profile.user_pool_id,
            self._pool.profile.client_id,
            client=self._pool.service.client,
            client_secret=self._pool.client_secret,
            device_key=device and device.key,
            device_group_key=device and device.group,
            device_password=device and device.password,
        )

    def _respond(
        self,
        username: str,
        kind: str,
        session: str | None,
        responses: dict[str, str],
        refusals: Refusals | None,
    ) -> dict[str, Any]:
        reply: dict[str, Any] = self._pool.call(
            username,
            "respond_to_auth_challenge",
            refusals,
            ClientId=self._pool.profile.client_id,
            ChallengeName=kind,
            ChallengeResponses=responses,
            **({"Session": session} if session else {}),
            once=True,
        )
        return reply

    def _step(self, username: str, reply: dict[str, Any], device: Device | None) -> Session | Challenge:
        if reply.get("ChallengeName") == "DEVICE_SRP_AUTH" and device:
            reply = self._prove_device(username, reply, device)
        if "AuthenticationResult" not in reply:
            return self._challenge(username, reply, device)
        session = self._session(username, reply, device, None)
        new = reply["AuthenticationResult"].get("NewDeviceMetadata")
        return self._confirm_device(session, new) if new else session

    def _prove_device(self, username: str, reply: dict[str, Any], device: Device) -> dict[str, Any]:
        """Show that this is the machine that the pool knows, as a password is shown.

        docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-device-tracking.html
        """
        srp = self._srp(username, "", device)
        username = reply.get("ChallengeParameters", {}).get("USERNAME") or username
        start = {**srp.get_auth_params(), "USERNAME": username}
        if secret_hash := self._pool.secret_hash(username):
            start["SECRET_HASH"] = secret_hash
        reply = self._respond(username, "DEVICE_SRP_AUTH", reply.get("Session"), start, _DEVICE_REFUSALS)
        proof = srp.process_device_challenge({"USERNAME": username, **reply["ChallengeParameters"]})
        return self._respond(
            username, "DEVICE_PASSWORD_VERIFIER", reply.get("Session"), proof, _DEVICE_PROOF_REFUSALS
        )

    def _confirm_device(self, session: Session, new: dict[str, str]) -> Session:
        """Tell the pool how this machine will prove itself. Its refresh tokens are of no use before that."""
        password, verifier = generate_hash_device(new["DeviceGroupKey"], new["DeviceKey"])
        # A session without it is better than none: it lasts as long as its tokens.
        with suppress(AwsIotError):
            self._pool.call(
                session.username,
                "confirm_device",
                AccessToken=session.access_token,
                DeviceKey=new["DeviceKey"],
                DeviceSecretVerifierConfig=verifier,
                DeviceName=platform.node() or "aws-iot",
            )
            return replace(session, device=Device(new["DeviceKey"], new["DeviceGroupKey"], password))
        return session

    def _session(
        self, username: str, reply: dict[str, Any], device: Device | None, refresh_token: str | None
    ) -> Session:
        tokens = reply["AuthenticationResult"]
        return Session(
            username=username,
            id_token=tokens["IdToken"],
            access_token=tokens["AccessToken"],
            # A renewal gives a new one only where they rotate.
            refresh_token=tokens.get("RefreshToken", refresh_token),
            expires=self._pool.now() + timedelta(seconds=tokens["ExpiresIn"]),
            device=device,
        )

    def _challenge(self, username: str, reply: dict[str, Any], device: Device | None) -> Challenge:
        kind, parameters = reply.get("ChallengeName", ""), reply.get("ChallengeParameters", {})
        if kind != "MFA_SETUP" and kind not in _ANSWERS:
            raise _unsupported(_CANNOT.get(kind, kind or "an unnamed challenge"))
        wants = {
            "NEW_PASSWORD_REQUIRED": "password",
            "SELECT_MFA_TYPE": "choice",
            "MFA_SETUP": "authenticator",
        }.get(kind, "code")
        challenge = Challenge(
            kind=kind,
            # An answer goes under the pool's own name for the user, which an alias that was typed is not.
            username=parameters.get("USERNAME") or parameters.get("USER_ID_FOR_SRP") or username,
            session=reply.get("Session", ""),
            wants=wants,
            choices=tuple(json.loads(parameters.get("MFAS_CAN_CHOOSE") or "[]")),
            attributes=tuple(
                name.removeprefix("userAttributes.")
                for name in json.loads(parameters.get("requiredAttributes") or "[]")
            ),
            destination=parameters.get("CODE_DELIVERY_DESTINATION"),
            device=device,
        )
        if wants != "authenticator":
            return challenge
        can = json.loads(parameters.get("MFAS_CAN_SETUP") or '["SOFTWARE_TOKEN_MFA"]')
        if "SOFTWARE_TOKEN_MFA" not in can:
            raise _unsupported(
                f"a second factor to be set up, of which it offers {' and '.join(can) or 'none'}"
            )
        begun = self._pool.call(username, "associate_software_token", Session=challenge.session, once=True)
        return replace(challenge, session=begun["Session"], secret=begun["SecretCode"])


def _code_sent(reply: dict[str, Any]) -> CodeSent:
    delivery = reply.get("CodeDeliveryDetails", {})
    return CodeSent(delivery.get("Destination"), delivery.get("DeliveryMedium"))


def _unsupported(challenge: str) -> ChallengeNotSupported:
    return ChallengeNotSupported(
        f"the user pool asks for {challenge}, which cannot be answered here",
        hint="Ask an admin of the user pool to let this account sign in with its password alone.",
    )


_CANNOT = {
    "WEB_AUTHN": "a passkey (WEB_AUTHN), for which a browser is needed",
    "CUSTOM_CHALLENGE": "something of its own making (CUSTOM_CHALLENGE)",
    "SELECT_CHALLENGE": "a choice of how to sign in (SELECT_CHALLENGE)",
    "DEVICE_SRP_AUTH": "a device that it knows (DEVICE_SRP_AUTH)",
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
    "EMAIL_MFA": "EMAIL_MFA_CODE",
    "SOFTWARE_TOKEN_MFA": "SOFTWARE_TOKEN_MFA_CODE",
    "SELECT_MFA_TYPE": "ANSWER",
    "NEW_PASSWORD_REQUIRED": "NEW_PASSWORD",
}

_ANSWER_REFUSALS: Refusals = {
    "ExpiredCodeException": lambda _: CodeRefused("this code is not valid any more"),
    "EnableSoftwareTokenMFAException": code_refused,
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


_DEVICE_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: (
        DeviceForgotten(message) if "evice" in message else REFUSALS["ResourceNotFoundException"](message)
    ),
}
_DEVICE_PROOF_REFUSALS: Refusals = {
    "ResourceNotFoundException": DeviceForgotten,
    "NotAuthorizedException": DeviceForgotten,
}
