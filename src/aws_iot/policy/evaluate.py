"""The policy evaluator: whether policies allow a request, and which statements decide it.

AWS IoT Core evaluates policies as IAM does (docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html). A
request is refused unless a statement allows it, and a statement that denies it wins. If the result depends on a value
that is not known here, such as the caller's address, the request stays undecided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase

from aws_iot.policy.conditions import holds
from aws_iot.policy.context import Request
from aws_iot.policy.documents import Document, Statement, list_some
from aws_iot.policy.logic import KNOWN, Truth, Unknown, all_of, any_of, negate
from aws_iot.policy.patterns import full_arn, matches


class Verdict(IntEnum):
    """The result for a request, the strictest first."""

    REFUSED = 0
    UNDECIDED = 1
    ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that applies to a request, or may apply: its action and resource, and what that depends on."""

    document: str
    statement: str
    effect: str
    action: str
    resource: str
    unknown: Unknown = KNOWN


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict of several documents; `matches` are the statements that decide it, or that may."""

    verdict: Verdict
    matches: tuple[Match, ...] = ()

    @property
    def unknown(self) -> Unknown:
        """What the verdict depends on."""
        return Unknown.union(one.unknown for one in self.matches)


def decide(documents: Iterable[Document], request: Request) -> Decision:
    """Evaluate a request against documents that count together, such as all policies of a role."""
    found = [
        match
        for document in documents
        for statement in document.statements
        if (match := _match(document.name, statement, request))
    ]
    denied = [one for one in found if one.effect == "Deny"]
    allowed = [one for one in found if one.effect == "Allow"]
    if certain := [one for one in denied if not one.unknown]:
        return Decision(Verdict.REFUSED, tuple(certain))
    if not allowed:
        return Decision(Verdict.REFUSED)
    certain = [one for one in allowed if not one.unknown]
    if certain and not denied:
        return Decision(Verdict.ALLOWED, tuple(certain))
    return Decision(Verdict.UNDECIDED, tuple(denied + (certain or allowed)))


def _match(document: str, statement: Statement, request: Request) -> Match | None:
    action = match_action(statement, request)
    if action is None:
        return None
    resource, covers_resource = match_resource(statement, request)
    conditions = (holds(one, request, has_variables=statement.has_variables) for one in statement.conditions)
    applies = all_of([covers_resource, *conditions])
    if applies is False:
        return None
    unknown = applies if isinstance(applies, Unknown) else KNOWN
    return Match(document, statement.label, statement.effect, action, resource, unknown)


def match_action(statement: Statement, request: Request) -> str | None:
    """Which of a statement's actions covers the request, None if none does; upper and lower case are the same."""
    action = request.action.lower()
    fits = [one for one in statement.actions if fnmatchcase(action, one.lower().replace("[", "[[]"))]
    if statement.not_actions:
        return None if fits else f"all but {list_some(statement.actions)}"
    return fits[0] if fits else None


def match_resource(statement: Statement, request: Request) -> tuple[str, Truth]:
    """Which of a statement's resources covers the request, and whether any does."""
    truths = {
        one: matches(full_arn(one), request.resource, request, has_variables=statement.has_variables)
        for one in statement.resources
    }
    if statement.not_resources:
        return f"all but {list_some(statement.resources)}", negate(any_of(truths.values()))
    if fits := next((one for one, truth in truths.items() if truth is True), None):
        return fits, True
    possible = [one for one, truth in truths.items() if truth is not False]
    return list_some(possible), any_of(truths.values())
