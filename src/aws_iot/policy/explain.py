"""Explain a refusal: which statements nearly allow a request, and what is probably wrong with each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aws_iot.policy.conditions import OPERATORS, holds
from aws_iot.policy.context import AMR, AUD, CLIENT_ID, RESOURCE_KINDS, SUB, WHY_NO_VALUE, Request
from aws_iot.policy.documents import MAX_SHOWN, WITH_VARIABLES, Document, Statement, list_some, shorten
from aws_iot.policy.evaluate import match_action, match_resource
from aws_iot.policy.logic import OPERATOR, Unknown
from aws_iot.policy.patterns import full_arn, matches, required_variables


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An Allow statement that covers the action, and why it does not apply.

    `is_mistake`: something in it looks like a mistake. Otherwise it is simply about something else.
    """

    document: str
    statement: str
    reason: str
    is_mistake: bool = True


def near_misses(documents: Iterable[Document], request: Request) -> tuple[NearMiss, ...]:
    """The statements that would allow the action of a request that no statement allows."""
    found = (
        _near_miss(document.name, statement, request)
        for document in documents
        for statement in document.statements
        if statement.effect == "Allow"
    )
    return tuple(filter(None, found))


def how_to_decide(unknown: Unknown) -> str:
    """What to do about the things that a verdict depends on, in one or more lines."""
    lines = []
    if unknown.keys:
        values = list_some([f"{key}=…" for key in sorted(unknown.keys)])
        lines.append(f"Give the missing values with --context: {values}")
    for name in sorted(unknown.operators)[:3]:
        quantifier, colon, operator = name.rpartition(":")
        near = None if operator == "BinaryEquals" else _closest(operator, OPERATORS)
        suggestion = f"; did you mean {quantifier}{colon}{near}?" if near else "."
        lines.append(f"{OPERATOR.capitalize()}{shorten(name)} is unknown{suggestion}")
    return "\n".join(lines)


def after_account(arn: str) -> str:
    """The part of an ARN after the account, such as `topic/lobby`."""
    return shorten(arn.split(":", 5)[-1])


_ACTIONS = {f"iot:{action}" for action in RESOURCE_KINDS}


def _near_miss(document: str, statement: Statement, request: Request) -> NearMiss | None:
    """None if the statement is about another action."""
    if match_action(statement, request) is None:
        reason = _misspelled_action(statement, request)
        return NearMiss(document, statement.label, reason) if reason else None
    if match_resource(statement, request)[1] is not False:
        return NearMiss(document, statement.label, _failed_condition(statement, request))
    if statement.not_resources:
        return NearMiss(document, statement.label, "its NotResource covers this resource")
    mistakes = (_mistake_in_resource(statement, one, request) for one in statement.resources)
    if mistake := next(filter(None, mistakes), None) or _only_other_kinds(statement, request):
        return NearMiss(document, statement.label, mistake)
    resources = [after_account(one) for one in statement.resources]
    same_kind = [one for one in resources if one.startswith(f"{request.resource_kind}/")]
    reason = f"it applies to {list_some(same_kind or resources)}"
    return NearMiss(document, statement.label, reason, is_mistake=False)


def _misspelled_action(statement: Statement, request: Request) -> str | None:
    if statement.not_actions:
        return None
    full_names = {one if ":" in one else f"iot:{one}": one for one in statement.actions}
    unknown = [full for full, written in full_names.items() if written.lower() not in _ACTIONS]
    if not (near := _closest(request.action, unknown, likeness=0.8)):
        return None
    return f"its action is {shorten(full_names[near])}; did you mean {request.action}?"


def _failed_condition(statement: Statement, request: Request) -> str:
    """Why the first condition that is false does not hold."""
    has_variables = statement.has_variables
    failed = next(
        one for one in statement.conditions if holds(one, request, has_variables=has_variables) is False
    )
    if broken := next(filter(None, map(_broken_variable, failed.values)), None):
        return broken
    values, complete = request.lookup(failed.key)
    actual = (
        f"the value is {list_some([*values, *([] if complete else ['…'])])}"
        if values
        else _no_value(failed.key, "{}")
    )
    condition = f"{shorten(failed.operator)} {shorten(failed.key)} {list_some(failed.values)}"
    return f"its condition {condition} fails: {actual}"


_NAME = r"((?:cognito-identity\.amazonaws\.com|iot|aws):[\w.]+)"
_BROKEN_VARIABLE = re.compile(rf"\$\{{{_NAME}(?![\w.]|\s*[,}}])|(?<!\$)\{{{_NAME}\}}?|\${_NAME}")


def _broken_variable(text: str) -> str | None:
    """Point at text that looks like a variable without its `$` or a brace."""
    if (found := _BROKEN_VARIABLE.search(text)) is None:
        return None
    return f"its {shorten(found[0])} is plain text; did you mean ${{{shorten(found[found.lastindex or 0])}}}?"


def _mistake_in_resource(statement: Statement, pattern: str, request: Request) -> str | None:
    """What is wrong with a resource that was probably meant for this request; None if it is for another one."""
    return (
        _broken_variable(pattern)
        or _variable_without_value(statement, pattern, request)
        or _wrong_part_of_arn(statement, pattern, request)
        or _wrong_wildcard(statement, pattern, request)
    )


def _variable_without_value(statement: Statement, pattern: str, request: Request) -> str | None:
    names = required_variables(pattern)
    if names and not statement.has_variables:
        return f"its document has no Version {WITH_VARIABLES}, so ${{{shorten(names[0])}}} is plain text"
    for name in names:
        values, complete = request.lookup(name)
        if complete and len(values) != 1:
            return _no_value(name)
    return None


def _wrong_part_of_arn(statement: Statement, pattern: str, request: Request) -> str | None:
    """The one part of an ARN with which it would match: partition, region, account or kind of resource."""
    actual, written = request.resource.split(":", 5), full_arn(pattern).split(":", 5)
    if len(written) != 6:
        return None
    for number, part in ((1, "partition"), (3, "region"), (4, "account")):
        corrected = ":".join([*written[:number], actual[number], *written[number + 1 :]])
        if matches(corrected, request.resource, request, has_variables=statement.has_variables):
            return f"its {part} is '{shorten(written[number])}', but here it is '{actual[number]}'"
    kind, _, rest = written[5].partition("/")
    needed = request.resource_kind
    if {kind, needed} == {"topic", "topicfilter"}:
        corrected = ":".join([*written[:5], f"{needed}/{rest}"])
        if matches(corrected, request.resource, request, has_variables=statement.has_variables):
            return _wrong_kind(kind, request)
    return None


def _wrong_wildcard(statement: Statement, pattern: str, request: Request) -> str | None:
    """Wildcards of MQTT, or none at the end."""
    has_variables = statement.has_variables
    corrected = pattern.replace("+", "*").replace("#", "*")
    if corrected != pattern and matches(corrected, request.resource, request, has_variables=has_variables):
        return (
            f"'+' and '#' in its {after_account(pattern)} are plain characters;"
            " use '*', the wildcard of policies"
        )
    # Never suggested for publishing: an identity that can publish on more topics can forge the sender.
    if request.resource_kind != "topic" and matches(
        pattern + "*", request.resource, request, has_variables=has_variables
    ):
        return f"its {after_account(pattern)} ends too early; it would match with '*' at the end"
    return None


def _only_other_kinds(statement: Statement, request: Request) -> str | None:
    kinds = [after_account(one).partition("/")[0] for one in statement.resources]
    known = RESOURCE_KINDS.values()
    if not kinds or any(kind == request.resource_kind or kind not in known for kind in kinds):
        return None
    return _wrong_kind(next((kind for kind in kinds if kind != "client"), "client"), request)


def _wrong_kind(kind: str, request: Request) -> str:
    return f"its resource begins with {kind}/, but {request.action} needs {request.resource_kind}/"


def _no_value(name: str, shape: str = "${{{}}}") -> str:
    """Report a variable, or the key of a condition, without a value: why, or which name was probably meant."""
    start = f"{shape.format(shorten(name))} has no value"
    if reason := next((why for begin, why in WHY_NO_VALUE.items() if name.lower().startswith(begin)), None):
        return f"{start}: {reason}"
    near = _closest(name, (SUB, AUD, AMR, CLIENT_ID, "aws:SourceIp"))
    return start + (f"; did you mean {shape.format(near)}?" if near else "")


def _closest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known name that was probably meant."""
    import difflib  # here, because it is rarely needed

    by_lower_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower()[:MAX_SHOWN], by_lower_case, 1, likeness)
    return by_lower_case[near[0]] if near else None
