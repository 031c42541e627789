"""Paths: the folders in which a person's settings, secrets, sessions and history are saved."""

import os
import sys
from functools import cached_property
from pathlib import Path

from aws_iot.errors import LocalError

VARIABLE = "AWS_IOT_CONFIG_DIR"
"""Names one folder for everything, instead of the three that the system chooses."""


def expanded(path: Path) -> Path:
    """`path`, in which a `~` at the beginning is replaced. Raises `LocalError` if there is no such home folder.

    A `HOME` that is empty or relative counts as not set.
    """
    if not str(path).startswith("~"):
        return path
    try:
        home = _home_of_user() if path.parts[0] == "~" else None
        return home.joinpath(*path.parts[1:]) if home else path.expanduser()
    except (RuntimeError, KeyError):
        raise LocalError(
            f"'{path}': there is no home folder '{path.parts[0]}'", hint="Give a path without ~, or set HOME."
        ) from None


def _home_of_user() -> Path | None:
    """The home folder according to the system, if `HOME` is set and cannot be one."""
    if sys.platform == "win32" or Path(os.environ.get("HOME", "/")).is_absolute():
        return None
    import pwd  # here: hardly anyone needs it

    return Path(pwd.getpwuid(os.getuid()).pw_dir)


class Folders:
    """Where everything is saved, by default in the folders that the system has for settings, data and caches.

    They are found when they are needed: `--help` needs none. Raises `LocalError` if there is no home folder.
    """

    def __init__(self, chosen: Path | None = None) -> None:
        """`chosen` is one folder for everything; None: the one that `AWS_IOT_CONFIG_DIR` names, if it does."""
        self._given = chosen

    @cached_property
    def _chosen(self) -> Path | None:
        named = os.environ.get(VARIABLE)
        if self._given or not named:
            return self._given
        try:
            return expanded(Path(named)).absolute()
        except OSError:  # the current folder was removed
            raise LocalError(f"{VARIABLE} is '{named}', and the current folder does not exist") from None
        except LocalError as error:
            raise LocalError(f"{VARIABLE} is {error}", hint=error.hint) from None

    @cached_property
    def config(self) -> Path:
        """What must not be lost."""
        return self._chosen or _of_system("user_config_path")

    @cached_property
    def cache(self) -> Path:
        """What a command can fetch again."""
        return self._chosen or _of_system("user_cache_path")

    @cached_property
    def data(self) -> Path:
        """What programs collect for you."""
        return self._chosen or _of_system("user_data_path")

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

    def known_names(self, key: str) -> Path:
        """The names that shells complete for a profile."""
        return self.cache / "known-names" / f"{key}.json"

    def history(self, key: str) -> Path:
        """The messages that a profile has sent and received: a file for each identity."""
        return self.data / "history" / key

    @property
    def chat_settings(self) -> Path:
        """Keys, keywords and the like of the chat screen."""
        return self.config / "chat.json"

    def chat(self, key: str) -> Path:
        """What the chat remembers for a profile, and its unsent messages."""
        return self.data / "chat" / key

    @property
    def spools(self) -> Path:
        """The list of the spools that `pub` has used."""
        return self.config / "spools.json"

    @property
    def local_stacks(self) -> Path:
        """The data of local stacks."""
        return self.config / "local"


def _of_system(kind: str) -> Path:
    import platformdirs  # here: few commands need it, and all would wait for it

    try:
        found: Path = getattr(platformdirs, kind)("aws-iot-cli", appauthor=False)
    except (RuntimeError, KeyError):
        found = Path("~")
    if not found.is_absolute() or "~" in found.parts:
        raise LocalError(
            "the folder of your settings is unknown: you have no home folder",
            hint=f"Set HOME, or set {VARIABLE} to a folder for your settings.",
        )
    return found
