"""AWS behavior: DescribeEndpoint returns an address at which the broker answers.

ministack 1.5.33 returns a host name that does not exist. This patch replaces `iot._describe_endpoint`.
"""

from ministack.core.responses import json_response
from ministack.services import iot


def apply(broker: str) -> None:
    """Let the engine return `broker`, as `host:port`."""
    iot._describe_endpoint = lambda _: json_response({"endpointAddress": broker})
