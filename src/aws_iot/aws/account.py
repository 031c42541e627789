"""The account of somebody who is signed in to a Cognito user pool."""

from typing import Any

from aws_iot.aws.clients import Refusals
from aws_iot.aws.user_pool import SESSION_REFUSALS, UserPool
from aws_iot.errors import CodeRefused, ServiceRefused, SessionEnded
from aws_iot.session import SecondFactors, Session


class CognitoAccount:
    """`Account` of a session."""

    def __init__(self, pool: UserPool, session: Session) -> None:
        self._pool = pool
        self._session = session

    def change_password(self, old: str, new: str) -> None:
        # Its NotAuthorizedException is of the old password as well as of the session, so it keeps its own words.
        self._call("change_password", {}, PreviousPassword=old, ProposedPassword=new)

    def second_factors(self) -> SecondFactors:
        user = self._call("get_user", SESSION_REFUSALS)
        return SecondFactors(
            tuple(user.get("UserMFASettingList", ())), user.get("PreferredMfaSetting") or None
        )

    def use_second_factor(self, kind: str | None) -> None:
        on = (kind,) if kind else self.second_factors().on
        wanted = {"Enabled": bool(kind), "PreferredMfa": bool(kind)}
        settings = {_SETTINGS[name]: wanted for name in on if name in _SETTINGS}
        if settings:
            self._call("set_user_mfa_preference", SESSION_REFUSALS | _FACTOR_REFUSALS, **settings)

    def new_authenticator(self) -> str:
        secret: str = self._call("associate_software_token", SESSION_REFUSALS | _FACTOR_REFUSALS)[
            "SecretCode"
        ]
        return secret

    def confirm_authenticator(self, code: str) -> None:
        self._call("verify_software_token", SESSION_REFUSALS | _AUTHENTICATOR_REFUSALS, UserCode=code)

    def remember_device(self) -> None:
        if self._session.device:
            self._call(
                "update_device_status",
                SESSION_REFUSALS,
                DeviceKey=self._session.device.key,
                DeviceRememberedStatus="remembered",
            )

    def sign_out(self, *, everywhere: bool) -> None:
        try:
            if everywhere:
                self._call("global_sign_out", SESSION_REFUSALS)
            elif self._session.refresh_token:
                client = self._pool.client_itself()
                self._pool.call(
                    self._session.username, "revoke_token", Token=self._session.refresh_token, **client
                )
        except SessionEnded:
            return

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
}


def code_refused(_: str) -> CodeRefused:
    """The code is wrong, however the user pool says it."""
    return CodeRefused("this is not the code that the app shows now: codes change every 30 seconds")


def _factor_refused(message: str) -> ServiceRefused:
    return ServiceRefused(f"the user pool refuses this second factor: {message}")


_FACTOR_REFUSALS: Refusals = {
    "InvalidParameterException": _factor_refused,
    "SoftwareTokenMFANotFoundException": _factor_refused,
    "OperationNotEnabledException": _factor_refused,
}
_AUTHENTICATOR_REFUSALS: Refusals = {
    "EnableSoftwareTokenMFAException": code_refused,
    "CodeMismatchException": code_refused,
}
