"""Wording: what `pub` tells when a single message was sent."""

from aws_iot.messaging.kinds import DELETE, EDIT, REACT
from aws_iot.publishing.request import PublishRequest

_WHAT = {EDIT: " the edit", DELETE: " the deletion", REACT: " the reaction"}


def sent_line(request: PublishRequest) -> str:
    """The line for a message that was acknowledged or, with QoS 0, has left."""
    what = _WHAT.get(request.kind or "", "")
    without = "" if request.qos else ", without acknowledgement (--qos 0)"
    return f"Sent{what} to {request.options.room}{without}."
