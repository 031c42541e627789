"""An admin's own AWS credentials: from a profile of `~/.aws`, the environment or this machine's role."""

import configparser
import getpass
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
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

from aws_iot.aws.base.answers import EVENT, check_answer
from aws_iot.aws.base.network_errors import clock_fault, unreachable_hint, why_unreachable
from aws_iot.config.ca_bundle import find_ca_bundle
from aws_iot.errors import AwsIotError, CredentialsRefused, LocalError, Unreachable
from aws_iot.files import read
from aws_iot.streams import decoded

INSTANCE_ROLE = "iam-role"
"""botocore's name for the role of an EC2 instance, which it asks 169.254.169.254 for."""

REFRESH_BEFORE_SECONDS = 60
"""Credentials that expire within this time are refreshed before the next call."""


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """AWS access keys that the caller has."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    @classmethod
    def of_file(cls, path: Path) -> "AccessKeys":
        """The default profile of a file in the format of `~/.aws/credentials`. Raises `LocalError`."""
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(decoded(read(path) or b""))
            keys = parser["default"]
            return cls(
                keys["aws_access_key_id"], keys["aws_secret_access_key"], keys.get("aws_session_token")
            )
        except (configparser.Error, UnicodeDecodeError, KeyError):  # its text may hold a secret
            raise LocalError(
                f"{path} holds no AWS credentials, but the profile names it for admins",
                hint="To use your own AWS credentials, choose an AWS profile with --aws-profile NAME.",
            ) from None


class AdminCredentials:
    """The access keys of a profile of `~/.aws`, or (None) those that botocore finds by itself.

    To find them may run a program, call other services, and ask a person for a code. So this happens once, on the
    caller's thread. A client would do it on a thread that has a deadline.
    """

    def __init__(
        self, profile: str | None, now: Callable[[], datetime], timeout: float, machine: Path = Path("/sys")
    ) -> None:
        """`timeout` is in seconds, for each call. `machine` is where Linux describes the hardware."""
        self._profile = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
        self._now = now
        self._source: Any = None
        self._keys: AccessKeys | None = None
        self.session = Session(profile=profile)
        self.session.register(EVENT, check_answer)
        self.session.set_default_client_config(
            Config(
                connect_timeout=timeout,
                read_timeout=timeout,
                defaults_mode="legacy",  # "auto" would ask 169.254.169.254 for the region
                retries={"total_max_attempts": 2, "mode": "standard"},
            )
        )
        # For the clients that botocore makes itself, such as one of STS.
        self.session.set_config_variable("ca_bundle", find_ca_bundle(None, profile))
        self._has_instance_role = _may_have_instance_role(machine)
        try:
            self.session.get_scoped_config()
            if not self._has_instance_role:
                # Elsewhere nothing answers there, and botocore would wait before it finds no credentials.
                self.session.get_component("credential_provider").remove(INSTANCE_ROLE)
        except ConfigParseError as error:
            raise LocalError(f"{error}", hint="Fix that file: the AWS CLI cannot read it either.") from error
        except BotoCoreError as error:  # no such profile
            raise LocalError(
                f"{error}", hint="Name a profile from ~/.aws/config, or unset AWS_PROFILE."
            ) from error

    @classmethod
    def of(cls, profile: str | None, now: Callable[[], datetime], timeout: float) -> "AdminCredentials":
        """One object for all services of a process, so that a person types a code once."""
        settings = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "HOME"))}
        key = (profile, tuple(sorted(settings.items())))
        if key not in _KNOWN:
            _KNOWN[key] = cls(profile, now, timeout)
        return _KNOWN[key]

    def keys(self) -> AccessKeys:
        """The access keys, the same until they expire. Raises `CredentialsRefused` or `Unreachable`."""
        must_refresh = getattr(self._source, "refresh_needed", None)
        if self._keys is None or (must_refresh and must_refresh(refresh_in=REFRESH_BEFORE_SECONDS)):
            self._keys = self._find()
        return self._keys

    def _find(self) -> AccessKeys:
        try:
            with warnings.catch_warnings():
                # Without a terminal, getpass would read the code from stdin, which holds something else, and show it.
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
            # Not `from error`: the output of another program may hold a secret.
            raise self._explain(error) from None
        except getpass.GetPassWarning:
            raise CredentialsRefused(
                "your AWS profile asks for an MFA code, and there is no terminal to type it at",
                hint="Use credentials that need no code. To create some: aws sts get-session-token",
            ) from None
        if not found:
            raise self._none_found()
        return AccessKeys(found.access_key, found.secret_key, found.token)

    def _none_found(self) -> CredentialsRefused:
        role = ", and this EC2 instance gives none" if self._has_instance_role else ""
        if self._profile:
            return CredentialsRefused(
                f"your AWS profile '{self._profile}' has no credentials{role}",
                hint="Add some with `aws configure`, or choose another with --aws-profile NAME.",
            )
        return CredentialsRefused(
            f"this command needs your own AWS credentials, and found none{role}",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
            " or choose an AWS profile with --aws-profile NAME.",
        )

    def _explain(self, error: Exception) -> AwsIotError:
        profile = f" --profile {self._profile}" if self._profile else ""
        if isinstance(error, PartialCredentialsError):
            return _incomplete(error.kwargs["provider"], error.kwargs["cred_var"])
        if isinstance(error, SSOError | TokenRetrievalError):
            return CredentialsRefused(
                "your AWS sign-in (SSO) has expired, or you are not signed in",
                hint=f"Sign in: aws sso login{profile}",
            )
        if isinstance(error, LoginError):
            return CredentialsRefused(
                "your AWS sign-in has expired, or you are not signed in", hint=f"Sign in: aws login{profile}"
            )
        if isinstance(error, ClientError):
            return self._refused(error)
        if isinstance(error, EOFError):
            return CredentialsRefused("your AWS profile asks for an MFA code, and you typed none")
        if isinstance(error, HTTPClientError | BotoConnectionError):
            return Unreachable(
                f"cannot get your AWS credentials: {why_unreachable(error)}", hint=unreachable_hint("", error)
            )
        if self._is_of_a_program(error):
            return CredentialsRefused(
                "the credential_process of your AWS profile gave no credentials",
                hint="Run the command by itself to see why: it is in ~/.aws/config.",
            )
        return CredentialsRefused(
            f"your AWS credentials cannot be used: {' '.join(str(error).split())}",
            hint="Check your AWS profile in ~/.aws/config, or choose another with --aws-profile NAME.",
        )

    def _is_of_a_program(self, error: Exception) -> bool:
        """Whether a `credential_process` failed. Some of its failures are errors of Python, not of botocore."""
        if isinstance(error, BotoCoreError):
            return (
                isinstance(error, CredentialRetrievalError) and error.kwargs["provider"] == "custom-process"
            )
        return "credential_process" in self.session.get_scoped_config()

    def _refused(self, error: ClientError) -> AwsIotError:
        headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        reason = error.response["Error"].get("Message") or error.response["Error"].get("Code", "")
        return clock_fault(headers.get("date"), self._now()) or CredentialsRefused(
            f"AWS rejected the request for your profile's credentials: {' '.join(reason.split())}",
            hint="Check its role, MFA device and source in ~/.aws/config, or choose another with --aws-profile NAME.",
        )


def _may_have_instance_role(machine: Path) -> bool:
    """Whether this is an EC2 instance, or its role is asked for: by AWS_EC2_METADATA_DISABLED=false, or an address.

    docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
    """
    if os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        return True
    if disabled := os.environ.get("AWS_EC2_METADATA_DISABLED"):
        return disabled.lower() == "false"
    facts = {"devices/virtual/dmi/id/sys_vendor": "amazon ec2", "hypervisor/uuid": "ec2"}
    return any(_text(machine / name).lower().startswith(begin) for name, begin in facts.items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


_KNOWN: dict[tuple[str | None, tuple[tuple[str, str], ...]], AdminCredentials] = {}


def _incomplete(provider: str, missing: str) -> CredentialsRefused:
    if provider == "env":
        return CredentialsRefused(
            f"{missing} is not set, but other variables of AWS credentials are",
            hint="Set it, or unset AWS_ACCESS_KEY_ID and choose an AWS profile with --aws-profile NAME.",
        )
    return CredentialsRefused(
        f"your AWS profile is incomplete: {missing} is missing",
        hint="Add it to ~/.aws/credentials or ~/.aws/config.",
    )
