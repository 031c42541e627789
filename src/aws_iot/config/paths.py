"""Paths: the folders in which a person's settings, secrets, sessions and history are saved."""

import os
from functools import cached_property
from pathlib import Path

VARIABLE = "AWS_IOT_CONFIG_DIR"
"""Names one folder for everything, instead of the three that the system chooses."""


class Folders:
    """Where everything is saved, by default in the folders that the system has for settings, data and caches."""

    def __init__(self, chosen: Path | None = None) -> None:
        """`chosen` is one folder for everything; None: the one that `AWS_IOT_CONFIG_DIR` names, if it does."""
        named = os.environ.get(VARIABLE)
        self._chosen = chosen or (Path(named).expanduser().absolute() if named else None)

    @cached_property
    def config(self) -> Path:
        """What must not be lost."""
        if self._chosen:
            return self._chosen
        import platformdirs  # here: few commands need it, and all would wait for it

        return platformdirs.user_config_path("aws-iot-cli", appauthor=False)

    @cached_property
    def cache(self) -> Path:
        """What a command can fetch again."""
        if self._chosen:
            return self._chosen
        import platformdirs

        return platformdirs.user_cache_path("aws-iot-cli", appauthor=False)

    @cached_property
    def data(self) -> Path:
        """What programs collect for you."""
        if self._chosen:
            return self._chosen
        import platformdirs

        return platformdirs.user_data_path("aws-iot-cli", appauthor=False)

    @property
    def profiles(self) -> Path:
        """The profiles."""
        return self.config / "profiles"

    @property
    def secrets(self) -> Path:
        """Passwords and refresh tokens, or notes of which are in the system's keyring."""
        return self.config / "secrets"

    @property
    def sessions(self) -> Path:
        """The records of signed-in users."""
        return self.config / "signed-in"

    @property
    def tokens(self) -> Path:
        """Tokens and AWS credentials, which live for an hour."""
        return self.cache / "sessions"

    def durable_sessions(self, key: str) -> Path:
        """What is known of the sessions that a broker keeps for a profile."""
        return self.config / "durable" / key

    def history(self, key: str) -> Path:
        """The messages that a profile has sent and received: a file for each identity."""
        return self.data / "history" / key

    @property
    def spools(self) -> Path:
        """The list of the spools that `pub` has used."""
        return self.config / "spools.json"

    @property
    def local_stacks(self) -> Path:
        """The data of local stacks."""
        return self.config / "local"
