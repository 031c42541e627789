"""Deploying the template: check everything first, plan, then execute."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from aws_iot.backend import template
from aws_iot.backend.hints import StackName, recovery_hint
from aws_iot.backend.outputs import profile_from_outputs
from aws_iot.backend.rooms import ROOMS, check_rooms
from aws_iot.backend.stack import NO_WATCHER, ChangeSet, StackState, Target, Watcher
from aws_iot.config.partitions import partition_of
from aws_iot.config.profile import Profile
from aws_iot.errors import NotAuthorized, ServiceRefused

SIGN_IN = "SignIn"
CASE_SENSITIVE = "CaseSensitive"

STANDARD_PARTITION = "aws"
"""The part of AWS that the template fits: it names Cognito as IAM does there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment that passed all checks: the given parameters, and the current stack.

    `state` is None if the stack does not exist.
    """

    parameters: Mapping[str, str]
    state: StackState | None

    @property
    def creates(self) -> bool:
        """Whether the stack is created, and not updated."""
        return self.state is None or self.state.is_empty

    @property
    def deletes_empty_stack(self) -> bool:
        """Whether an empty stack of the same name is deleted first."""
        return self.state is not None and self.state.is_empty

    def differences(self) -> list[str]:
        """The parameters that change, old and new."""
        now = _parameters(self.state)
        return [
            f"{name}: {now.get(name, 'none') or 'empty'} → {value or 'empty'}"
            for name, value in self.parameters.items()
            if now.get(name) != value
        ]


class Deployment:
    """The stack that a person named, in an AWS account and region."""

    def __init__(self, name: StackName, target: Target) -> None:
        self.name = name
        self.target = target

    def find(self) -> StackState | None:
        """The stack, None if it does not exist. Raises `ServiceRefused` if it was made from another template."""
        stack = self.target.stack
        state = stack.state()
        # A stack that never held anything has no owner, unless it has a description.
        has_no_owner = state and state.is_empty and not state.description
        if state and not has_no_owner and not template.is_ours(state.description):
            raise ServiceRefused(
                f"the stack {stack.name} was not created from this program's template",
                hint="Choose another --name.",
            )
        return state

    def existing(self, *, can_create: bool = True) -> StackState:
        """The stack. Raises `ServiceRefused` if it does not exist; with `can_create` the hint is how to create it."""
        state = self.find()
        if state is None:
            names = self._other_stacks()
            others = f"Existing stacks: {', '.join(names)}. Choose one with --name." if names else ""
            create = f"To create it: {self.name.command('deploy')}" if can_create else ""
            raise ServiceRefused(
                f"there is no stack {self.name.name} in this account and region",
                hint="\n".join(filter(None, (others, "Another region? Choose it with --region.", create))),
            )
        return state

    def plan(self, parameters: Mapping[str, str]) -> Plan:
        """Check everything that would fail later. Raises `ServiceRefused` or `InvalidRoom`; nothing is changed."""
        state = self.find()
        if state:
            self.check_changeable(state)
        current = _parameters(state)
        if not current:
            self._check_partition()
        elif parameters.get(SIGN_IN, current[SIGN_IN]) != current[SIGN_IN]:
            raise _fixed(f"people sign in by {current[SIGN_IN]} here")
        elif parameters.get(CASE_SENSITIVE, current[CASE_SENSITIVE]) != current[CASE_SENSITIVE]:
            ignored = "matters" if current[CASE_SENSITIVE] == "true" else "does not matter"
            raise _fixed(f"upper and lower case {ignored} in user names here")
        if set(ROOMS) & set(parameters):
            check_rooms({**current, **parameters}, self.target.region)
        if state and CASE_SENSITIVE in current and CASE_SENSITIVE not in state.parameters:
            parameters = {CASE_SENSITIVE: current[CASE_SENSITIVE], **parameters}
        return Plan(parameters, state)

    def check_changeable(self, state: StackState) -> None:
        """Raise `ServiceRefused`, with the way out, if CloudFormation would accept no change in this state."""
        if hint := recovery_hint(self.name, state):
            raise ServiceRefused(
                f"CloudFormation is still working on the stack {self.name.name}: {state.status}"
                if state.in_progress
                else f"the stack {self.name.name} cannot be changed: {state.reason or state.status}",
                hint=hint,
            )

    def _check_partition(self) -> None:
        """Raise `ServiceRefused` for a region in which nobody could use what the template creates.

        In GovCloud, IAM calls Cognito `cognito-identity-us-gov.amazonaws.com` or
        `cognito-identity.us-gov-east-1.amazonaws.com`, in trust policies and in policy variables:
        docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html. China has no user pools.
        """
        region = self.target.region
        partition = partition_of(region).name
        if partition != STANDARD_PARTITION:
            raise ServiceRefused(
                f"the template cannot be deployed in {region}: Cognito is different, or missing, in {partition}",
                hint="Choose a region of standard AWS, such as --region us-east-1. For others, adapt what"
                " `aws-iot backend template` prints.",
            )

    def create(self, plan: Plan, watcher: Watcher = NO_WATCHER) -> StackState:
        """Create the stack. An empty one of the same name must have been deleted."""
        return self.target.stack.create(template.text(), plan.parameters, watcher)

    @contextmanager
    def change_set(self, plan: Plan) -> Iterator["PendingUpdate | None"]:
        """The update of an existing stack, None if nothing changes. It is deleted unless it was executed."""
        stack, state = self.target.stack, plan.state
        known, current = template.parameters(), state.parameters if state else {}
        kept = [name for name in current if name in known and name not in plan.parameters]
        found = stack.create_change_set(template.text(), plan.parameters, kept)
        if found is None:
            yield None
            return
        update = PendingUpdate(self.target, found)
        try:
            yield update
        finally:
            if not update.executed:
                stack.delete_change_set(found)

    def profile(self, state: StackState) -> Profile:
        """The profile for members of a deployed stack. Raises `ProfileError` if an output is missing."""
        profile = profile_from_outputs(state.outputs, self.target.iot_endpoint())
        return profile._replace(**self.target.other_addresses())  # type: ignore[arg-type]  # only text fields

    def _other_stacks(self) -> list[str]:
        """The stacks that were made from the template. Empty if the caller may not list them."""
        with suppress(NotAuthorized, ServiceRefused):
            stacks = self.target.stack.all()
            return sorted(name for name, description in stacks if template.is_ours(description))
        return []


def _parameters(state: StackState | None) -> Mapping[str, str]:
    """The parameters of a stack, empty if it holds nothing. Those from before `CaseSensitive` have its old value."""
    if state is None or state.is_empty:
        return {}
    return {SIGN_IN: template.parameters()[SIGN_IN].default, CASE_SENSITIVE: "true", **state.parameters}


def _fixed(fact: str) -> ServiceRefused:
    return ServiceRefused(
        f"{fact}, and Cognito cannot change that", hint="Deploy another stack with another --name."
    )


class PendingUpdate:
    """An update that waits for approval."""

    def __init__(self, target: Target, change_set: ChangeSet) -> None:
        self.changes = change_set.changes
        self.executed = False
        self._target = target
        self._change_set = change_set

    def execute(self, watcher: Watcher = NO_WATCHER) -> StackState:
        """Update the stack, and wait. Raises `StackFailed`."""
        self.executed = True
        return self._target.stack.execute(self._change_set, watcher)
