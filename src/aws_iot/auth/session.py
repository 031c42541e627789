"""Session: the tokens of a signed-in person."""

from datetime import datetime
from typing import NamedTuple


class Device(NamedTuple):
    """This device, as a user pool that remembers devices knows it."""

    key: str
    group: str
    password: str

    def __repr__(self) -> str:
        return f"Device(key={self.key!r}, group={self.group!r})"


class RefreshToken(NamedTuple):
    """Gets new tokens without the password, for 30 days unless an admin changed that.

    A user pool that remembers devices accepts it only with the `device` that it gave it to.
    """

    username: str
    value: str
    device: Device | None = None

    def __repr__(self) -> str:
        return f"RefreshToken(username={self.username!r}, device={self.device!r})"


class Session(NamedTuple):
    """The tokens of a person. They are valid until `expires`, an hour unless an admin changed that.

    `refresh_token` is None in a session that a `SessionStore` loads: it is in the keyring, and few need it.
    """

    username: str
    id_token: str
    access_token: str
    refresh_token: RefreshToken | None
    expires: datetime

    def __repr__(self) -> str:
        return f"Session(username={self.username!r}, expires={self.expires!r})"

    @property
    def device(self) -> Device | None:
        """This device, if the user pool knows it."""
        return self.refresh_token.device if self.refresh_token else None
