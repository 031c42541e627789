"""Profile: which user pool, app client, identity pool and endpoints, under a key. It holds no secrets."""

import re
from typing import NamedTuple

from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import ProfileError

KEY = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class Profile(NamedTuple):
    """Where a person signs in and connects. The profile is saved under `key`.

    `username` signs in if no other user is named. It `is_unconfirmed` while `init` waits for the code of its new
    account. `client_has_secret` tells that the app client has a secret; the
    secret store has it. `policy_name` is the IoT policy that an admin attaches to accept a person. The URLs replace
    AWS's own addresses; the local stack sets them. `ca_bundle` is a PEM file of the authorities to trust for them.
    `admin_credentials_file` is a file in the format of `~/.aws/credentials` with the keys of this AWS account's admin,
    if they are on this machine; the local stack sets it, too.
    `history` tells whether messages are saved on this machine. They are deleted after `history_days`, and the oldest of
    them if the history has more than `history_megabytes`.
    `local_stack` is the folder of the local stack that serves the profile; a profile of AWS has none.
    """

    user_pool_id: str
    client_id: str
    identity_pool_id: str
    endpoint: Endpoint
    iot_region: str
    policy_name: str | None = None
    cognito_idp_url: str | None = None
    cognito_identity_url: str | None = None
    iot_url: str | None = None
    iam_url: str | None = None
    cloudformation_url: str | None = None
    ca_bundle: str | None = None
    admin_credentials_file: str | None = None
    local_stack: str | None = None
    username: str | None = None
    is_unconfirmed: bool = False
    client_has_secret: bool = False
    history: bool = True
    history_days: int | None = None
    history_megabytes: int | None = None
    key: str = ""

    @property
    def user_pool_region(self) -> str:
        """The region of the user pool. The identity pool may be in another."""
        return self.user_pool_id.partition("_")[0]

    @property
    def identity_pool_region(self) -> str:
        """The region of the identity pool."""
        return self.identity_pool_id.partition(":")[0]

    def with_settings_of(self, other: "Profile") -> "Profile":
        """This profile with what a person has set in the other one, apart from the user."""
        return self._replace(
            history=other.history,
            history_days=other.history_days,
            history_megabytes=other.history_megabytes,
        )

    def differences(self, other: "Profile") -> list[tuple[str, str, str]]:
        """What `other` signs in to or connects to elsewhere: its name, and both values."""
        compared = (
            ("user pool", self.user_pool_id, other.user_pool_id),
            ("app client", self.client_id, other.client_id),
            ("identity pool", self.identity_pool_id, other.identity_pool_id),
            ("endpoint", str(self.endpoint), str(other.endpoint)),
        )
        return [(name, ours, theirs) for name, ours, theirs in compared if ours != theirs]


def is_key(text: str) -> bool:
    """Whether it can name a profile, and so a file on every system: profiles move between machines."""
    return bool(re.fullmatch(KEY, text)) and not text.endswith(".") and not is_device(text)


def is_device(name: str) -> bool:
    """Whether Windows takes a file of this name, whatever its extension, for a device.

    learn.microsoft.com/windows/win32/fileio/naming-a-file
    """
    return bool(
        re.fullmatch(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]) *(\..*)?", name, re.IGNORECASE | re.DOTALL)
    )


def checked_key(key: str) -> str:
    """`key`, if it can name a profile. Raises `ProfileError`."""
    if is_device(key):
        raise ProfileError(f"'{key}' cannot name a profile: Windows reserves this name for a device")
    if not is_key(key):
        raise ProfileError(
            f"'{key}' cannot name a profile: use up to 64 letters, digits, '_', '-' and '.';"
            " a letter or digit first, and no '.' at the end"
        )
    return key
