"""What doctor needs from the outside world: probes, each for one part of the way to the broker."""

from typing import NamedTuple, Protocol

from aws_iot.auth.credentials import Credentials


class CheckResult(NamedTuple):
    """A check that passed, in words; `advice` is about problems that may come later."""

    text: str
    advice: str = ""


class Probes(Protocol):
    """Probes for the services of one profile. Each raises the `AwsIotError` that describes the problem it found."""

    def names(self) -> CheckResult:
        """Whether all host names resolve."""
        ...

    def proxies(self) -> CheckResult:
        """Whether the proxy of the environment, if there is one, connects to the hosts."""
        ...

    def certificates(self) -> CheckResult:
        """Whether all hosts are reachable and have trusted certificates."""
        ...

    def clock(self) -> CheckResult:
        """Whether this machine's clock agrees with the services'."""
        ...

    def user_pool(self, username: str | None) -> CheckResult:
        """Whether the user pool and its app client exist and accept SRP sign-ins."""
        ...

    def upgrade(self, credentials: Credentials) -> CheckResult:
        """Whether the broker opens a WebSocket for these credentials. The result holds no secret."""
        ...
