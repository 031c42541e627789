"""What to do about a refusal: accept the identity, name a room, or change a policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_iot.config.profile import Profile
from aws_iot.errors import Indeterminate, NotAuthorized
from aws_iot.messaging.connect import APPLY_DELAY, accept_command, apply_delay
from aws_iot.messaging.topics import is_pattern
from aws_iot.policy.access import (
    AccessDecision,
    LayerDecision,
    PolicyLayer,
    Principal,
    Question,
    decide_access,
)
from aws_iot.policy.actions import ROOM
from aws_iot.policy.documents import Document, rooms_in
from aws_iot.policy.evaluate import Verdict
from aws_iot.policy.explain import how_to_decide
from aws_iot.policy.logic import Unknown

MAX_ROOMS = 5
"""Number of rooms that are suggested."""

_WHAT_TO_CHANGE = {
    "role": "a policy of the role",
    "boundary": "the permissions boundary of the role",
    "IoT": "an IoT policy of the identity",
}


@dataclass(frozen=True, slots=True)
class AccessReport:
    """The decisions about everything that was asked for an identity, and the policies behind them.

    The question was about a `room` or a `topic`, or about all rooms if both are None.
    `from_files`: the policies were not read from AWS.
    """

    principal: Principal
    layers: Sequence[PolicyLayer]
    decisions: Sequence[AccessDecision]
    room: str | None = None
    topic: str | None = None
    from_files: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether a pattern of rooms or topics was asked about, which allows only subscribing."""
        return is_pattern(self.topic or self.room or "")

    @property
    def documents(self) -> list[Document]:
        """The documents of all layers."""
        return [document for layer in self.layers for document in layer.documents]

    def having(self, verdict: Verdict) -> list[AccessDecision]:
        """The decisions with this verdict."""
        return [one for one in self.decisions if one.verdict is verdict]

    def refusing_layers(self) -> list[LayerDecision]:
        """The decision of each layer that refuses something."""
        refused = self.having(Verdict.REFUSED)
        return [layer for one in refused for layer in one.layers if layer.verdict is Verdict.REFUSED]

    def needs_room_in_role(self) -> bool:
        """Whether one more room in the role's policy may be all that is missing."""
        refusing = self.refusing_layers()
        return (
            any(one.layer.name == "role" for one in refusing)
            and not any(one.decision.matches or _is_not_accepted(one) for one in refusing)
            and "iot:Connect" not in {one.question.action for one in self.having(Verdict.REFUSED)}
            and not self.is_pattern
        )


def check_allowed(report: AccessReport, profile: Profile | None, aws_profile: str | None = None) -> None:
    """Raise `NotAuthorized` if something is refused, `Indeterminate` if something is undecided, with what to do.

    `profile` is that of the identity's user. Without it, the commands in the hint do not name it. `aws_profile` has
    the AWS credentials that the person has named.
    """
    key = f" -k {profile.key}" if profile else ""
    if closed := next((one.closed for one in report.layers if one.closed and not one.doubt), None):
        hint = f"No policy can change that. Check the profile: aws-iot config show{key}"
        raise NotAuthorized(f"{closed}: nothing is allowed", hint=hint)
    if refused := report.having(Verdict.REFUSED):
        raise NotAuthorized(
            f"refused: {action_names(refused)}", hint=_refusal_hint(report, profile, aws_profile)
        )
    if undecided := report.having(Verdict.UNDECIDED):
        raise Indeterminate(
            f"cannot decide whether this is allowed: {action_names(undecided)}",
            hint=_undecided_hint(report, undecided),
        )


def action_names(decisions: Iterable[AccessDecision]) -> str:
    """The actions that were decided, such as `iot:Connect, iot:Publish`."""
    return ", ".join(one.question.action for one in decisions)


def _is_not_accepted(decision: LayerDecision) -> bool:
    return decision.layer.name == "IoT" and not decision.layer.documents


def _refusal_hint(report: AccessReport, profile: Profile | None, aws_profile: str | None) -> str:
    refusing = report.refusing_layers()
    delay = apply_delay(profile) if profile else APPLY_DELAY
    if any(map(_is_not_accepted, refusing)):
        key = profile.key if profile else None
        command = accept_command(profile, report.principal.identity, key=key, aws_profile=aws_profile)
        return f"An admin can accept it: {command}\n{delay}".rstrip()
    if report.room is None and report.topic is None and (rooms := _allowed_rooms(report)):
        named = " or -r ".join(rooms)
        return f"This asked for all rooms, and for publishing in '{ROOM}'. Name one of your rooms: -r {named}"
    layers = dict.fromkeys(one.layer.name for one in refusing)
    return f"To allow it, change {' and '.join(_WHAT_TO_CHANGE[name] for name in layers)}. {delay}".rstrip()


def _allowed_rooms(report: AccessReport) -> list[str]:
    """Some rooms that the identity may subscribe to."""
    pool = report.principal.pool

    def is_allowed(room: str) -> bool:
        question = Question("iot:Subscribe", f"topicfilter/{pool}/{room}/+")
        return decide_access(question, report.principal, report.layers).verdict is Verdict.ALLOWED

    return list(filter(is_allowed, rooms_in(report.documents, pool)[:MAX_ROOMS]))


def _undecided_hint(report: AccessReport, undecided: Iterable[AccessDecision]) -> str:
    unknown = Unknown.union(layer.decision.unknown for one in undecided for layer in one.layers)
    lines = [how_to_decide(unknown)]
    if not report.from_files and any(one.doubt and not one.documents for one in report.layers):
        lines.append("An admin's AWS credentials may be able to read more: --aws-profile NAME")
    return "\n".join(filter(None, lines))
