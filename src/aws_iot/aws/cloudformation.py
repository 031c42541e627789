"""CloudFormation: deploys a template and says what came of it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import WaiterError

from aws_iot.aws.clients import translated
from aws_iot.errors import ServiceRefused


def deploy(
    client: Any,
    name: str,
    template: str,
    now: Callable[[], datetime],
    *,
    poll: float = 5.0,
    timeout: float = 900,
) -> Mapping[str, str]:
    """Create the stack `name` and return its outputs once all of it is there.

    Raises `ServiceRefused` with the reason of the first resource that failed.
    """
    waiter = client.get_waiter("stack_create_complete")
    waiter.config.delay, waiter.config.max_attempts = poll, max(1, int(timeout / poll))
    with translated(client, {}, now):
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        try:
            waiter.wait(StackName=name)
        except WaiterError as error:
            raise ServiceRefused(f"the stack {name} was not made: {_first_failure(client, name)}") from error
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def _first_failure(client: Any, name: str) -> str:
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    for event in reversed(events):
        if event["ResourceStatus"].endswith("FAILED"):
            return (
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
            )
    return "CloudFormation gives no reason"
