"""How `aws-iot policy` prints its decisions: as text and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from aws_iot.policy.access import AccessDecision, LayerDecision, PolicyLayer, Principal, Question
from aws_iot.policy.documents import shorten
from aws_iot.policy.evaluate import Match, Verdict
from aws_iot.policy.explain import after_account
from aws_iot.policy.reader import AwsVerdict
from aws_iot.policy.recovery import AccessReport

COLUMN = 11
"""Where the text of each line begins, after its label."""

MAX_SHOWN = 5
"""Number of statements of a layer that are shown."""

_VERDICTS = {Verdict.ALLOWED: "allowed", Verdict.REFUSED: "REFUSED", Verdict.UNDECIDED: "undecided"}


def as_text(report: AccessReport, aws_verdicts: Mapping[Question, AwsVerdict]) -> Iterator[str]:
    """The lines of a report; `aws_verdicts` are the answers of AWS's TestAuthorization."""
    principal = report.principal
    yield f"identity   {principal.identity}"
    yield f"client id  {principal.client}"
    yield f"account    {principal.account} in {principal.region}"
    for layer in report.layers:
        yield f"{layer.name:<9}  {_policies(layer)}"
    for decision in report.decisions:
        question = decision.question
        yield ""
        yield f"{_VERDICTS[decision.verdict]:<9}  {question.action} on {question.resource}"
        for one in decision.layers:
            first, *rest = _layer_lines(one, question)
            yield f"  {one.layer.name:<9}{first}"
            yield from (f"{'':11}{line}" for line in rest)
        if aws_verdict := aws_verdicts.get(question):
            yield f"  {'AWS':<9}{_aws_verdict(aws_verdict, decision)}"


def as_object(
    principal: Principal, decision: AccessDecision, aws_verdict: AwsVerdict | None
) -> dict[str, Any]:
    """One decision as a JSON object."""
    return {
        "action": decision.question.action,
        "resource": principal.arn(decision.question.resource),
        "identity": principal.identity,
        "client": principal.client,
        "verdict": decision.verdict.name.lower(),
        "gates": [_layer_as_object(one) for one in decision.layers],
        "test_authorization": aws_verdict and asdict(aws_verdict),
    }


def _policies(layer: PolicyLayer) -> str:
    names = ", ".join(one.name for one in layer.documents)
    of = layer.of if names in ("", layer.of) else f"{layer.of}: {names}"
    doubt = f"unknown: {layer.doubt}" if layer.doubt else ""
    return "; ".join(filter(None, [shorten(of), doubt])) or "none"


def _layer_lines(decided: LayerDecision, question: Question) -> Iterator[str]:
    layer, decision = decided.layer, decided.decision
    if layer.doubt:
        yield "unknown"
    elif layer.closed:
        yield layer.closed
    elif not layer.documents:
        yield "no IoT policy is attached to this identity" if layer.name == "IoT" else "it has no policy"
    if not layer.documents:
        return
    if decision.verdict is Verdict.ALLOWED:
        yield _statement(decision.matches[0], "allows it")
        return
    for match in decision.matches[:MAX_SHOWN]:
        does = "denies it" if match.effect == "Deny" else "allows it"
        only = f", depending on {shorten(', '.join(match.unknown.names()))}" if match.unknown else ""
        yield _statement(match, does) + only
    if not decision.matches:
        about = "" if decided.near_misses else f", and no Allow statement covers {question.action}"
        yield f"no statement allows it{about}"
        mistakes_first = sorted(decided.near_misses, key=lambda one: not one.is_mistake)
        for near in mistakes_first[:MAX_SHOWN]:
            yield f"near miss: {near.document}, {near.statement}: {near.reason}"
    if (more := len(decision.matches or decided.near_misses) - MAX_SHOWN) > 0:
        yield f"and {more} more"


def _statement(match: Match, does: str) -> str:
    where = f"{shorten(match.action)} on {after_account(match.resource)}"
    return f"{match.document}, {match.statement} {does}: {where}"


def _aws_verdict(aws_verdict: AwsVerdict, decision: AccessDecision) -> str:
    by = f" ({', '.join(aws_verdict.policies)})" if aws_verdict.policies else ""
    missing = f", without knowing {', '.join(aws_verdict.missing)}" if aws_verdict.missing else ""
    ours = next((one.verdict for one in decision.layers if one.layer.name == "IoT"), Verdict.UNDECIDED)
    differs = ours is not Verdict.UNDECIDED and (ours is Verdict.ALLOWED) != (
        aws_verdict.decision == "ALLOWED"
    )
    warning = "; this differs from the IoT policies shown here" if differs else ""
    return f"TestAuthorization: {aws_verdict.decision}{by}{missing}{warning}"


def _layer_as_object(decided: LayerDecision) -> dict[str, Any]:
    layer, decision = decided.layer, decided.decision
    return {
        "gate": layer.name,
        "of": layer.of,
        "documents": [one.name for one in layer.documents],
        "verdict": decided.verdict.name.lower(),
        "doubt": layer.doubt,
        "closed": layer.closed,
        "depends": decision.unknown.names(),
        "statements": [
            {
                "document": match.document,
                "statement": match.statement,
                "effect": match.effect,
                "action": match.action,
                "resource": match.resource,
                "depends": match.unknown.names(),
            }
            for match in decision.matches
        ],
        "near": [
            {"document": near.document, "statement": near.statement, "why": near.reason}
            for near in decided.near_misses
        ],
    }
