"""Deleting a stack: whether it may be deleted, and what must be done before and after."""

from aws_iot.backend.deployment import Deployment
from aws_iot.backend.members import Members
from aws_iot.backend.stack import StackState
from aws_iot.errors import NotFound, ServiceRefused

PROTECTION = "DeletionProtection"


def user_pool_of(state: StackState) -> str | None:
    """The ID of the user pool, None if the stack has none."""
    return state.outputs.get("UserPoolId")


def check_deletable(deployment: Deployment, state: StackState) -> None:
    """Raise `ServiceRefused` if the accounts are protected, or CloudFormation is updating the stack."""
    pool = user_pool_of(state)
    if state.parameters.get(PROTECTION) == "ACTIVE":
        # With -o -, because the exports file in this folder may belong to another stack.
        command = deployment.name.command("deploy", "--parameter", f"{PROTECTION}=INACTIVE", "-o", "-")
        hint = f"Remove the protection first: {command}"
    elif pool and deployment.target.is_protected(pool):
        hint = "The protection was not set by the stack: remove it in the user pool (Cognito console)."
    else:
        if state.in_progress and state.status != "CREATE_IN_PROGRESS":
            deployment.check_changeable(state)
        return
    message = f"the accounts of the stack {deployment.name.name} are protected from deletion"
    raise ServiceRefused(message, hint=hint)


def detach_from_all(members: Members, policy: str) -> int | None:
    """Detach the policy from all members: AWS IoT deletes no attached policy (API reference, DeletePolicy).

    Returns how many there were, None if the policy no longer exists.
    """
    try:
        accepted = list(members.accepted(policy))
    except NotFound:  # an earlier attempt deleted it
        return None
    for identity in accepted:
        members.detach(identity, policy)
    return len(accepted)
