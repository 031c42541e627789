"""Speed: the secret exponent of the server in SRP has 256 bits, the minimum of RFC 5054, section 2.5.4.

ministack 1.5.33 uses 3,072 bits. That protects no better, and costs 0.15 seconds of computing for each sign-in.
This patch replaces the `secrets` module in `cognito`.
"""

import secrets
from typing import Any

from ministack.services import cognito

BITS = 256


class _Secrets:
    """The module `secrets`, except for exponents of SRP."""

    @staticmethod
    def randbelow(limit: int) -> int:
        return secrets.randbits(BITS) if limit == cognito._SRP_N - 2 else secrets.randbelow(limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(secrets, name)


def apply() -> None:
    """Let the engine's user pools use short exponents."""
    cognito.secrets = _Secrets()
