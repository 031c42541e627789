"""Signing in to a Cognito user pool: the password by SRP, challenges, and devices that it remembers."""

import platform
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pycognito.aws_srp import AWSSRP, generate_hash_device

from aws_iot.auth.accounts import Challenge, ChallengeAnswer
from aws_iot.auth.session import Device, Session
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.account import check_verified, code_refused
from aws_iot.aws.cognito.challenges import challenge_from, responses_for
from aws_iot.aws.cognito.tokens import session_from
from aws_iot.aws.cognito.user_pool import REFUSALS, UserPool
from aws_iot.errors import AwsIotError, CodeRefused, DeviceForgotten, SignInRefused

EXPONENT_BITS = 256
"""Of the client's secret exponent in SRP: the minimum of RFC 5054, section 2.5.4.

pycognito uses 1,024 bits. Against the 3,072-bit group of Cognito, that protects no better.
"""


class _ShortExponentSrp(AWSSRP):  # type: ignore[misc]  # pycognito has no types
    """pycognito's calculation with a shorter exponent, which takes less than half the time."""

    def generate_random_small_a(self) -> int:
        """The secret exponent."""
        return secrets.randbits(EXPONENT_BITS)


class CognitoSignIn:
    """The calls of a sign-in. pycognito only calculates: its own calls raise some challenges and return others."""

    def __init__(self, pool: UserPool) -> None:
        self._pool = pool

    def sign_in(self, username: str, password: str, device: Device | None) -> Session | Challenge:
        """As `Accounts.sign_in`."""
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
        return self._next(username, reply, device)

    def answer(self, challenge: Challenge, answer: ChallengeAnswer) -> Session | Challenge:
        """As `Accounts.answer`."""
        session, responses = challenge.session, {"USERNAME": challenge.username}
        if challenge.wants == "authenticator":
            session = self._verify_authenticator(challenge, answer.value)
        else:
            responses |= responses_for(challenge, answer)
        if challenge.device:
            responses["DEVICE_KEY"] = challenge.device.key
        if secret_hash := self._pool.secret_hash(challenge.username):
            responses["SECRET_HASH"] = secret_hash
        refusals = _ANSWER_REFUSALS | (_DEVICE_REFUSALS if challenge.device else {})
        reply = self._respond(challenge.username, challenge.kind, session, responses, refusals)
        return self._next(challenge.username, reply, challenge.device)

    def _next(self, username: str, reply: dict[str, Any], device: Device | None) -> Session | Challenge:
        if reply.get("ChallengeName") == "DEVICE_SRP_AUTH" and device:
            reply = self._prove_device(username, reply, device)
        if "AuthenticationResult" not in reply:
            challenge = challenge_from(reply, username, device)
            return self._start_authenticator(challenge) if challenge.wants == "authenticator" else challenge
        session = session_from(reply, username, self._pool.now, device=device)
        new = reply["AuthenticationResult"].get("NewDeviceMetadata")
        return self._confirm_device(session, new) if new else session

    def _srp(self, username: str, password: str, device: Device | None) -> AWSSRP:
        return _ShortExponentSrp(
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

    def _start_authenticator(self, challenge: Challenge) -> Challenge:
        """Add the secret that an authenticator app needs."""
        started = self._pool.call(
            challenge.username, "associate_software_token", Session=challenge.session, once=True
        )
        return replace(challenge, session=started["Session"], secret=started["SecretCode"])

    def _verify_authenticator(self, challenge: Challenge, code: str) -> str:
        """Show the app's first code. The result is the next `Session` of the sign-in."""
        verified = self._pool.call(
            challenge.username,
            "verify_software_token",
            _ANSWER_REFUSALS,
            Session=challenge.session,
            UserCode=code,
            once=True,
        )
        check_verified(verified)
        session: str = verified["Session"]
        return session

    def _prove_device(self, username: str, reply: dict[str, Any], device: Device) -> dict[str, Any]:
        """Prove that this is the device that the pool knows, in the way a password is proved.

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
        """Tell the pool how this device will prove itself. Before that its refresh tokens do not work."""
        password, verifier = generate_hash_device(new["DeviceGroupKey"], new["DeviceKey"])
        # If this fails, the session still lasts as long as its tokens.
        with suppress(AwsIotError):
            self._pool.call(
                session.username,
                "confirm_device",
                AccessToken=session.access_token,
                DeviceKey=new["DeviceKey"],
                DeviceSecretVerifierConfig=verifier,
                DeviceName=platform.node() or "aws-iot",
            )
            device = Device(new["DeviceKey"], new["DeviceGroupKey"], password)
            token = session.refresh_token
            return session._replace(refresh_token=token and token._replace(device=device))
        return session


_ANSWER_REFUSALS: Refusals = {
    "ExpiredCodeException": lambda _: CodeRefused("this code is wrong or has expired"),
    "EnableSoftwareTokenMFAException": code_refused,
    "NotAuthorizedException": lambda message: SignInRefused(
        f"the sign-in took too long, or was answered already: {message}", hint="Sign in again."
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
