"""Save and restore what the engine's services know, for a stack that is started with `--keep`.

The state is saved before each response of the services leaves. So if a stack is killed and started again, its clients
have lost only their connections.

ministack 1.5.33 can save and restore each service, but it leaves out the credentials that it has issued.
"""

from ministack.core.persistence import load_state, save_state
from ministack.services import cloudformation, cognito, iam, iot, sts

_SERVICES = {"cloudformation": cloudformation, "cognito": cognito, "iam": iam, "iot": iot}
_CREDENTIALS = "credentials"


def save() -> None:
    """Write the state of all services to the engine's `STATE_DIR`."""
    for name, service in _SERVICES.items():
        save_state(name, service.get_state())
    save_state(_CREDENTIALS, dict(sts._sessions))


def restore() -> None:
    """Read what `save` wrote; without any, the services start empty."""
    for name, service in _SERVICES.items():
        service.load_persisted_state(load_state(name))
    sts._sessions.update(load_state(_CREDENTIALS) or {})
