"""What to type next about a stack, with the options that the person has used."""

import shlex
from dataclasses import dataclass

from aws_iot.backend.stack import StackState


@dataclass(frozen=True, slots=True)
class StackName:
    """Which stack a person has named, and with which options. Hints name it in the same way."""

    name: str
    region: str | None
    aws_profile: str | None
    key: str | None = None
    """The profile that names the stack, in place of its name and region."""
    is_local: bool = False
    """Whether the local stack has it, which only commands with the profile can reach."""

    def command(self, command: str, *more: str) -> str:
        """`aws-iot backend <command>` for this stack."""
        parts = ["aws-iot", "backend", command]
        if self.key and command in ("status", "exports"):
            parts += ["-k", self.key]
        else:
            parts += ["--name", self.name, *(["--region", self.region] if self.region else [])]
        parts += ["--aws-profile", self.aws_profile] if self.aws_profile else []
        return shlex.join([*parts, *more])

    def aws_command(self, command: str) -> str:
        """`aws cloudformation <command>` for this stack."""
        parts = ["aws", "cloudformation", command, "--stack-name", self.name]
        parts += ["--region", self.region] if self.region else []
        parts += ["--profile", self.aws_profile] if self.aws_profile else []
        return shlex.join(parts)


def recovery_hint(stack: StackName, state: StackState) -> str | None:
    """What to do about a stack that cannot be changed in this state; None if it can be changed.

    Also None for the local stack, whose CloudFormation stack no person changes.
    """
    if state.in_progress:
        return f"Wait until it has finished: {stack.command('status')}"
    if stack.is_local:
        return None
    match state.status:
        case "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED":
            return f"It could not be created. Delete what is left of it: {stack.command('destroy')}"
        case "DELETE_FAILED":
            return f"Continue deleting it: {stack.command('destroy')}"
        case "UPDATE_ROLLBACK_FAILED":
            return f"Roll the update back: {stack.aws_command('continue-update-rollback')}"
        case "UPDATE_FAILED":
            return f"Roll the update back: {stack.aws_command('rollback-stack')}"
    return None
