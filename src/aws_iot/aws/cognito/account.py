"""The account of a signed-in user in a Cognito user pool: password, second factors, devices."""

from typing import Any

from aws_iot.auth.accounts import SecondFactors
from aws_iot.auth.session import Session
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.user_pool import SESSION_REFUSALS, UserPool
from aws_iot.errors import CodeRefused, ServiceRefused, WrongPassword


class CognitoAccount:
    """`Account` of a session."""

    def __init__(self, pool: UserPool, session: Session) -> None:
        self._pool = pool
        self._session = session

    def change_password(self, old: str, new: str) -> None:
        # NotAuthorizedException can be about the old password or about the session. Its message distinguishes them.
        try:
            self._call("change_password", {}, PreviousPassword=old, ProposedPassword=new)
        except WrongPassword as error:
            raise WrongPassword("this is not your current password") from error

    def second_factors(self) -> SecondFactors:
        user = self._call("get_user", SESSION_REFUSALS)
        return SecondFactors(
            tuple(user.get("UserMFASettingList", ())), user.get("PreferredMfaSetting") or None
        )

    def use_second_factor(self, kind: str | None) -> None:
        on = (kind,) if kind else self.second_factors().on
        if unknown := [name for name in on if name not in _SETTINGS]:
            raise ServiceRefused(
                f"the user pool has {', '.join(unknown)} on, which this program cannot change"
            )
        wanted = {"Enabled": bool(kind), "PreferredMfa": bool(kind)}
        if settings := {_SETTINGS[name]: wanted for name in on}:
            self._call("set_user_mfa_preference", SESSION_REFUSALS | _FACTOR_REFUSALS, **settings)
        if not kind and (left := self.second_factors().on):
            raise ServiceRefused(f"the user pool left {', '.join(left)} on: it may require a second factor")

    def new_authenticator(self) -> str:
        secret: str = self._call("associate_software_token", SESSION_REFUSALS | _FACTOR_REFUSALS)[
            "SecretCode"
        ]
        return secret

    def confirm_authenticator(self, code: str) -> None:
        check_verified(
            self._call("verify_software_token", SESSION_REFUSALS | _AUTHENTICATOR_REFUSALS, UserCode=code)
        )

    def remember_device(self) -> None:
        if self._session.device:
            self._call(
                "update_device_status",
                SESSION_REFUSALS,
                DeviceKey=self._session.device.key,
                DeviceRememberedStatus="remembered",
            )

    def sign_out_everywhere(self) -> None:
        self._call("global_sign_out", SESSION_REFUSALS)

    def delete(self) -> None:
        self._call("delete_user", SESSION_REFUSALS)

    def _call(self, operation: str, refusals: Refusals, **parameters: Any) -> Any:
        token = self._session.access_token
        return self._pool.call(
            self._session.username, operation, refusals, AccessToken=token, **parameters, once=True
        )


# The settings of each second factor: botocore's model of SetUserMFAPreference.
_SETTINGS = {
    "SOFTWARE_TOKEN_MFA": "SoftwareTokenMfaSettings",
    "SMS_MFA": "SMSMfaSettings",
    "EMAIL_OTP": "EmailMfaSettings",
    "EMAIL_MFA": "EmailMfaSettings",  # its name in newer AWS documents
}


def code_refused(_: str) -> CodeRefused:
    """The error for a wrong code of an authenticator app."""
    return CodeRefused("this is not the code that the app shows now: codes change every 30 seconds")


def check_verified(reply: dict[str, Any]) -> None:
    """Raise `CodeRefused` unless the status of VerifySoftwareToken is SUCCESS. It can be ERROR in a normal reply."""
    if reply["Status"] != "SUCCESS":
        raise code_refused(reply["Status"])


def _factor_refused(message: str) -> ServiceRefused:
    return ServiceRefused(f"the user pool rejected this second factor: {message}")


_FACTOR_REFUSALS: Refusals = {
    "InvalidParameterException": _factor_refused,
    "SoftwareTokenMFANotFoundException": _factor_refused,
    "OperationNotEnabledException": _factor_refused,
}
_AUTHENTICATOR_REFUSALS: Refusals = {
    "EnableSoftwareTokenMFAException": code_refused,
    "CodeMismatchException": code_refused,
}
