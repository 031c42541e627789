"""Policy documents: read and validate the JSON policies of IAM and AWS IoT Core.

Both use one language: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_iot.errors import LocalError
from aws_iot.policy.context import AUD

WITH_VARIABLES = "2012-10-17"
"""The version of the language in which `${…}` is a variable. In 2008-10-17, and without a version, it is plain text:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""

WITHOUT_VARIABLES = "2008-10-17"

MAX_SHOWN = 200
"""Characters of a policy's text that are shown: enough for the ARN of nearly every topic."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key, such as `StringLike` with `iot:ClientId`."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `label` is its Sid, or its number if it has none.

    With `not_actions` or `not_resources` (NotAction, NotResource) the list names what the statement does not cover.
    `has_variables`: `${…}` is a variable, as the Version of its document defines.
    """

    label: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    not_actions: bool = False
    not_resources: bool = False
    has_variables: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """A policy, under the name by which people know it."""

    name: str
    statements: tuple[Statement, ...]


def parse(name: str, policy: str | bytes | Mapping[str, Any]) -> Document:
    """Read a policy: the document itself, or the output of `aws iot get-policy` or `aws iam get-role-policy`.

    If that output names the policy, the document gets this name instead of `name`.
    Raises `LocalError` with the name and what is wrong.
    """
    name, value = _unwrap(name, policy)
    if not isinstance(value, Mapping) or "Statement" not in value:
        raise LocalError(f"{name}: not a policy: a policy is a JSON object with a 'Statement'")
    version = value.get("Version")
    if version not in (None, WITHOUT_VARIABLES, WITH_VARIABLES):
        shown = shorten(json.dumps(version)) if isinstance(version, str | int) else "not a string"
        raise LocalError(f'{name}: its Version is {shown}; use "{WITH_VARIABLES}"')
    statements = value["Statement"]
    if not isinstance(statements, list):
        statements = [statements]
    has_variables = version == WITH_VARIABLES
    return Document(
        name, tuple(_statement(name, number, one, has_variables) for number, one in enumerate(statements, 1))
    )


def shorten(text: str) -> str:
    """Text from a policy, cut if it is too long to read."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def list_some(texts: Sequence[str]) -> str:
    """The first three of several texts from a policy, and how many more there are."""
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(map(shorten, texts[:3])) + more


def accounts_in(documents: Sequence[Document]) -> dict[str, list[str]]:
    """The AWS accounts whose IoT resources documents name, each with its statements; the most named account first."""
    found: dict[str, list[str]] = {}
    for document in documents:
        for statement in document.statements:
            arns = [arn.split(":", 5) for arn in statement.resources]
            for account in {arn[4]: None for arn in arns if len(arn) == 6 and arn[2] == "iot"}:
                if re.fullmatch("[0-9]{12}", account):
                    found.setdefault(account, []).append(f"{document.name}, {statement.label}")
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def rooms_in(documents: Iterable[Document], pool: str) -> list[str]:
    """The rooms of a pool that Allow statements name for subscribing."""
    named = re.compile(rf"arn:.*:topicfilter/(?:{re.escape(pool)}|\$\{{{re.escape(AUD)}\}})/([^*?$+#]+)/[*+]")
    arns = [
        arn
        for document in documents
        for statement in document.statements
        if statement.effect == "Allow" and not statement.not_resources
        for arn in statement.resources
    ]
    return list(dict.fromkeys(found[1] for arn in arns if (found := named.fullmatch(arn))))


def documents_with_pool_variable(documents: Sequence[Document]) -> list[str]:
    """The names of the documents that use the variable for the pool, which AWS documents for IAM policies only."""
    return [
        document.name
        for document in documents
        if any(f"${{{AUD}}}" in arn for statement in document.statements for arn in statement.resources)
    ]


_WRAPPERS = ("policyDocument", "PolicyDocument", "Document", "PolicyVersion")
_MAX_WRAPPERS = 4  # the AWS CLI prints no document inside more of them


def _unwrap(name: str, value: Any) -> tuple[str, Any]:
    """The object with the statements, and the name that an object around it gives the policy."""
    for _ in range(_MAX_WRAPPERS):
        if isinstance(value, str | bytes):
            value = _read_json(name, value)
        if not isinstance(value, Mapping) or "Statement" in value:
            break
        policy_name = value.get("policyName") or value.get("PolicyName")
        name = shorten(policy_name) if policy_name and isinstance(policy_name, str) else name
        inner = (value[key] for key in _WRAPPERS if isinstance(value.get(key), str | Mapping))
        value = next(inner, None)
    return name, value


def _read_json(name: str, text: str | bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Reject duplicate names: Python takes the last one, and AWS may take another, or none."""
        found = dict(pairs)
        if len(found) < len(pairs):
            [(key, _), *_] = Counter(key for key, _ in pairs).most_common(1)
            raise LocalError(f"{name}: '{shorten(key)}' appears twice in one object")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        raise LocalError(f"{name}: not JSON: {error}") from error
    except RecursionError as error:
        raise LocalError(f"{name}: not a policy: its JSON is nested too deeply") from error


_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _statement(name: str, number: int, value: Any, has_variables: bool) -> Statement:
    def invalid(what: str) -> LocalError:
        return LocalError(f"{name}: statement {number} {what}")

    if not isinstance(value, dict):
        raise invalid("is not a JSON object")
    if unknown := sorted(value.keys() - _ELEMENTS):
        raise invalid(f"has '{shorten(unknown[0])}', which is not allowed in this kind of policy")
    if value.get("Effect") not in ("Allow", "Deny"):
        raise invalid('needs an Effect that is "Allow" or "Deny"')
    actions, not_actions = _either(value, "Action", invalid)
    resources, not_resources = _either(value, "Resource", invalid)
    sid = value.get("Sid")
    label = shorten(sid) if isinstance(sid, str) and sid else f"statement {number}"
    return Statement(
        label,
        value["Effect"],
        actions,
        resources,
        _conditions(value.get("Condition", {}), invalid),
        not_actions,
        not_resources,
        has_variables,
    )


Invalid = Callable[[str], LocalError]


def _either(value: dict[str, Any], element: str, invalid: Invalid) -> tuple[tuple[str, ...], bool]:
    """The list of an element, such as Action, or of its opposite, and whether it was the opposite."""
    opposite = f"Not{element}"
    if (element in value) == (opposite in value):
        raise invalid(f"needs either '{element}' or '{opposite}'")
    chosen = element if element in value else opposite
    if (texts := _strings(value[chosen])) is None:
        raise invalid(f"has a '{chosen}' that is neither a string nor a list of strings")
    if not texts:
        raise invalid(f"has an empty '{chosen}', which AWS rejects")  # IAM: "must contain actions"
    return texts, chosen == opposite


def _conditions(blocks: Any, invalid: Invalid) -> tuple[Condition, ...]:
    if not isinstance(blocks, dict) or not all(isinstance(block, dict) for block in blocks.values()):
        raise invalid("has a 'Condition' that is not {operator: {key: value}}")
    conditions = []
    for operator, block in blocks.items():
        for key, value in block.items():
            if (values := _strings(value, scalars=True)) is None:
                raise invalid(
                    f"has a condition {shorten(operator)} on {shorten(key)}"
                    " that is neither a string nor a list of strings"
                )
            conditions.append(Condition(operator, key, values))
    return tuple(conditions)


def _strings(value: Any, *, scalars: bool = False) -> tuple[str, ...] | None:
    """A string or a list of strings; with `scalars` also numbers and booleans, as conditions may have them."""
    values = value if isinstance(value, list) else [value]
    if scalars:
        values = [json.dumps(v) if isinstance(v, bool | int | float) else v for v in values]
    return tuple(values) if all(isinstance(v, str) for v in values) else None
