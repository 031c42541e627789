"""Guard: one request that fails unexpectedly must not end the thread that saves what the person types."""

from collections.abc import Callable

from aws_iot.chat.model import events as on


def carry_out(request: Callable[[], None], tell: Callable[[on.Event], None]) -> None:
    """Call the request, and tell of a failure that nobody expects."""
    try:
        request()
    except Exception as error:  # noqa: BLE001  whatever it is, what comes next is still to be saved
        tell(on.Warned(f"internal error, please report it: {error!r}"))
