"""What a local stack keeps for its next start, where a tester asks for it: all but the links and what they wait for.

It is written before each answer of the services leaves, so a stack that is killed starts again as
one that only its links have lost. ministack 1.5.33 saves and restores its services itself, but not
the credentials that it has issued.
"""

from ministack.core.persistence import load_state, save_state
from ministack.services import cloudformation, cognito, iam, iot, sts

_SERVICES = {"cloudformation": cloudformation, "cognito": cognito, "iam": iam, "iot": iot}
_CREDENTIALS = "credentials"


def save() -> None:
    """Write what the services know to the engine's `STATE_DIR`."""
    for name, service in _SERVICES.items():
        save_state(name, service.get_state())
    save_state(_CREDENTIALS, dict(sts._sessions))


def restore() -> None:
    """Take what `save` wrote, if anything."""
    for name, service in _SERVICES.items():
        service.load_persisted_state(load_state(name))
    sts._sessions.update(load_state(_CREDENTIALS) or {})
