"""CloudFormation: deploys a template and says what came of it."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import WaiterError

from aws_iot.aws.clients import Service
from aws_iot.errors import ServiceRefused


def deploy(
    service: Service, name: str, template: str, *, poll: float = 5.0, timeout: float = 900
) -> Mapping[str, str]:
    """Create the stack `name` and return its outputs once all of it is there, `timeout` seconds at most.

    Raises `ServiceRefused` with the reason of the first resource that failed.
    """
    service.call("create_stack", {}, StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    waiter = service.client.get_waiter("stack_create_complete")
    waiter.config.delay, waiter.config.max_attempts = poll, max(1, int(timeout / poll))
    try:
        service.within({}, lambda: waiter.wait(StackName=name), timeout)
    except ServiceRefused as error:
        if not isinstance(error.__cause__, WaiterError):
            raise
        reason = _first_failure(service.call("describe_stack_events", {}, StackName=name))
        raise ServiceRefused(f"the stack {name} was not made: {reason}") from error
    stack = service.call("describe_stacks", {}, StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def _first_failure(events: dict[str, Any]) -> str:
    for event in reversed(events["StackEvents"]):
        if event["ResourceStatus"].endswith("FAILED"):
            return (
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
            )
    return "CloudFormation gives no reason"
