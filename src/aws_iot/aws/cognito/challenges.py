"""Challenges of a Cognito user pool: read from its replies, and named in the answers."""

import json
from typing import Any

from aws_iot.auth.accounts import Challenge, ChallengeAnswer
from aws_iot.auth.session import Device
from aws_iot.errors import ChallengeNotSupported

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

_WANTS = {"NEW_PASSWORD_REQUIRED": "password", "SELECT_MFA_TYPE": "choice", "MFA_SETUP": "authenticator"}

_UNSUPPORTED = {
    "WEB_AUTHN": "a passkey (WEB_AUTHN), which needs a browser",
    "CUSTOM_CHALLENGE": "a challenge of its own (CUSTOM_CHALLENGE)",
    "SELECT_CHALLENGE": "a choice of how to sign in (SELECT_CHALLENGE)",
    "DEVICE_SRP_AUTH": "a device that it knows (DEVICE_SRP_AUTH)",
}


def challenge_from(reply: dict[str, Any], username: str, device: Device | None) -> Challenge:
    """The challenge in a reply. Raises `ChallengeNotSupported`."""
    kind, parameters = reply.get("ChallengeName", ""), reply.get("ChallengeParameters", {})
    if kind != "MFA_SETUP" and kind not in _ANSWERS:
        raise _unsupported(_UNSUPPORTED.get(kind, kind or "a challenge without a name"))
    if kind == "MFA_SETUP":
        offered = json.loads(parameters.get("MFAS_CAN_SETUP") or '["SOFTWARE_TOKEN_MFA"]')
        if "SOFTWARE_TOKEN_MFA" not in offered:
            raise _unsupported(f"a second factor to be set up, and offers {' and '.join(offered) or 'none'}")
    return Challenge(
        kind=kind,
        # An answer needs the pool's own name for the user. The person may have typed an alias.
        username=parameters.get("USERNAME") or parameters.get("USER_ID_FOR_SRP") or username,
        session=reply.get("Session", ""),
        wants=_WANTS.get(kind, "code"),
        choices=tuple(json.loads(parameters.get("MFAS_CAN_CHOOSE") or "[]")),
        attributes=tuple(
            name.removeprefix("userAttributes.")
            for name in json.loads(parameters.get("requiredAttributes") or "[]")
        ),
        destination=parameters.get("CODE_DELIVERY_DESTINATION"),
        device=device,
    )


def responses_for(challenge: Challenge, answer: ChallengeAnswer) -> dict[str, str]:
    """The answer, with the names of RespondToAuthChallenge."""
    responses = {_ANSWERS[challenge.kind]: answer.value}
    return responses | {f"userAttributes.{name}": value for name, value in answer.attributes}


def _unsupported(what: str) -> ChallengeNotSupported:
    return ChallengeNotSupported(
        f"the user pool asks for {what}, which this program does not support",
        hint="Ask an admin of the user pool to let this account sign in with its password alone.",
    )
