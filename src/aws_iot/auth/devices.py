"""Devices: how this device proves itself to a user pool that remembers devices."""

import json

from aws_iot.auth.session import Device
from aws_iot.config.profile import Profile
from aws_iot.config.secrets import SecretStore


class DeviceStore:
    """The device of each profile's user, in the secret store. Methods raise `LocalError` if that cannot be used."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def load(self, profile: Profile, username: str) -> Device | None:
        """This device, as the profile's user pool knows it when this user signs in."""
        stored = self._secrets.get("device", profile.key, username)
        try:
            pool, *device = json.loads(stored or "[null]")
            return Device(*device) if pool == profile.user_pool_id else None
        except (ValueError, TypeError):
            return None

    def save(self, profile: Profile, username: str, device: Device) -> None:
        """Save it for the next time that this user signs in."""
        stored = json.dumps([profile.user_pool_id, device.key, device.group, device.password])
        self._secrets.set("device", profile.key, username, stored)

    def remove(self, key: str) -> None:
        """Delete it: the user pool no longer knows it."""
        self._secrets.remove("device", key)
