"""Somebody's own AWS credentials, from wherever the usual chain has them, and why it has none."""

import getpass
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.session import Session

from aws_iot.aws.base.network_errors import clock_fault, why_unreachable
from aws_iot.errors import AwsIotError, CredentialsRefused, ProfileError, Unreachable

RENEWED_BEFORE_SECONDS = 60
"""Credentials that end within this time are renewed before the next call."""


@dataclass(frozen=True, slots=True)
class Keys:
    """AWS credentials that are given rather than looked for."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class OwnKeys:
    """The keys of a profile of `~/.aws`, or (None) of whoever the usual chain finds.

    Finding them may run a program, ask other services, and ask a person for a code: so it is done once, on the
    caller's thread, and clients are given what was found. They would look again on a thread that has a deadline.
    """

    def __init__(self, profile: str | None, now: Callable[[], datetime], timeout: float) -> None:
        self._profile = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
        self._now = now
        self._source: Any = None
        self._keys: Keys | None = None
        self.session = Session(profile=profile)
        self.session.set_default_client_config(
            Config(
                connect_timeout=timeout,
                read_timeout=timeout,
                retries={"total_max_attempts": 2, "mode": "standard"},
            )
        )
        try:
            self.session.get_scoped_config()
        except ConfigParseError as error:
            raise ProfileError(f"{error}", hint="Mend that file: it is no file of AWS settings.") from error
        except BotoCoreError as error:  # no such profile
            raise ProfileError(
                f"{error}", hint="Name a profile that ~/.aws/config has, or unset AWS_PROFILE."
            ) from error

    @classmethod
    def of(cls, profile: str | None, now: Callable[[], datetime], timeout: float) -> "OwnKeys":
        """The same for all services of a process, so that a person types a code once."""
        settings = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "HOME"))}
        key = (profile, tuple(sorted(settings.items())))
        if key not in _KNOWN:
            _KNOWN[key] = cls(profile, now, timeout)
        return _KNOWN[key]

    def keys(self) -> Keys:
        """The same ones until they end. Raises `CredentialsRefused` or `Unreachable`."""
        ends = getattr(self._source, "refresh_needed", None)
        if self._keys is None or (ends and ends(refresh_in=RENEWED_BEFORE_SECONDS)):
            self._keys = self._found()
        return self._keys

    def _found(self) -> Keys:
        try:
            with warnings.catch_warnings():
                # Without a terminal a code would be read, and shown, from a stdin that holds something else.
                warnings.simplefilter("error", getpass.GetPassWarning)
                self._source = self.session.get_credentials()
                found = self._source and self._source.get_frozen_credentials()
        except (
            BotoCoreError,
            ClientError,
            OSError,
            EOFError,
            ValueError,
            LookupError,
            RuntimeError,
        ) as error:
            # Not `from error`: what a program of others has said may hold anything.
            raise self._why(error) from None
        except getpass.GetPassWarning:
            raise CredentialsRefused(
                "your AWS profile asks for an MFA code, and there is no terminal to type it at",
                hint="Give credentials that ask for none: aws sts get-session-token makes some.",
            ) from None
        if not found:
            raise CredentialsRefused(
                "this command needs AWS credentials of your own, and found none",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --aws-profile.",
            )
        return Keys(found.access_key, found.secret_key, found.token)

    def _why(self, error: Exception) -> AwsIotError:
        profile = f" --profile {self._profile}" if self._profile else ""
        if isinstance(error, PartialCredentialsError):
            return _incomplete(error.kwargs["provider"], error.kwargs["cred_var"])
        if isinstance(error, SSOError | TokenRetrievalError):
            return CredentialsRefused(
                "your AWS sign-in (SSO) has ended, or there was none", hint=f"Sign in: aws sso login{profile}"
            )
        if isinstance(error, LoginError):
            return CredentialsRefused(
                "your AWS sign-in has ended, or there was none", hint=f"Sign in: aws login{profile}"
            )
        if isinstance(error, ClientError):
            return self._refused(error)
        if isinstance(error, EOFError):
            return CredentialsRefused("your AWS profile asks for an MFA code, and none was typed")
        if isinstance(error, HTTPClientError | BotoConnectionError):
            return Unreachable(f"cannot get your AWS credentials: {why_unreachable(error)}")
        from_a_program = isinstance(error, CredentialRetrievalError) and (
            error.kwargs["provider"] == "custom-process"
        )
        if from_a_program or (
            "credential_process" in self._settings() and not isinstance(error, BotoCoreError)
        ):
            return CredentialsRefused(
                "the credential_process of your AWS profile gave no credentials",
                hint="Run it by itself to see why: it is in ~/.aws/config.",
            )
        return CredentialsRefused(
            f"your AWS credentials cannot be used: {' '.join(str(error).split())}",
            hint="Look at your profile in ~/.aws/config, or name another with --aws-profile.",
        )

    def _refused(self, error: ClientError) -> AwsIotError:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        said = error.response["Error"].get("Message") or error.response["Error"].get("Code", "")
        return clock_fault(headers.get("date"), self._now()) or CredentialsRefused(
            f"AWS does not give your profile its credentials: {' '.join(said.split())}",
            hint="Look at its role, MFA device and source in ~/.aws/config, or name another with --aws-profile.",
        )

    def _settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = self.session.get_scoped_config()
        return settings


_KNOWN: dict[tuple[str | None, tuple[tuple[str, str], ...]], OwnKeys] = {}


def _incomplete(provider: str, missing: str) -> CredentialsRefused:
    if provider == "env":
        return CredentialsRefused(
            f"{missing} is missing beside the other variables of AWS credentials",
            hint="Set it too, or unset AWS_ACCESS_KEY_ID and name a profile with --aws-profile.",
        )
    return CredentialsRefused(
        f"your AWS profile is incomplete: {missing} is missing",
        hint="Add it in ~/.aws/credentials or config.",
    )
