"""Policies: what documents in the language of IAM and AWS IoT Core allow somebody, and which statement says so.

AWS IoT Core evaluates as IAM does (docs.aws.amazon.com/iot/latest/developerguide/iot-policies.html): what no statement
allows is refused, and what one denies is refused whatever the others allow. What depends on something that is not
known here, such as the address that somebody comes from, stays undecided.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from typing import Any

from aws_iot.errors import LocalError

SUB = "cognito-identity.amazonaws.com:sub"
AUD = "cognito-identity.amazonaws.com:aud"
AMR = "cognito-identity.amazonaws.com:amr"
CLIENT_ID = "iot:ClientId"
IS_A_THING = "iot:Connection.Thing.IsAttached"

WITH_VARIABLES = "2012-10-17"
"""The version of the language in which `${…}` is a variable; in the older one, and without a version, it is text:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""

# What a request may hold besides what is known of it: an admin can attach an identity to a thing, too. What is not
# among it has no value. docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html
_THING, _CERTIFICATE = "iot:connection.thing.", "iot:certificate."
_MAY_HAVE_A_VALUE = re.compile(rf"aws:.*|{_THING}.*|iot:(clientid|connectattributes|domainname)", re.DOTALL)

# Who is signed in has this, and the names of providers:
# docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
_AMONG_OTHERS = {AMR: ("authenticated",)}

# docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_NEVER = {
    "aws:username": "only IAM users have it, and who signs in to a pool has a role",
    _CERTIFICATE: "who signs in to a pool shows no certificate",
    _THING: "the identity is attached to no thing",
}

OPERATOR = "the operator "
"""What stands before an operator that is not known, among the keys on which something depends."""

KINDS = {
    "connect": "client",
    "publish": "topic",
    "receive": "topic",
    "retainpublish": "topic",
    "subscribe": "topicfilter",
}
"""On what kind of resource an action is: docs.aws.amazon.com/iot/latest/developerguide/iot-action-resources.html"""


class Verdict(IntEnum):
    """The more the better."""

    REFUSED = 0
    UNDECIDED = 1
    ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to do what: an action such as `iot:Publish`, on an ARN. The keys of `values` are in lower case."""

    action: str
    resource: str
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def known(self, key: str) -> tuple[Sequence[str], bool]:
        """The values that a key is known to have, and whether it has no others."""
        key = key.lower()
        if key in self.values:
            return self.values[key], True
        if key in _AMONG_OTHERS:
            return _AMONG_OTHERS[key], False
        no_thing = key.startswith(_THING) and self.values.get(IS_A_THING.lower()) == ["false"]
        return (), no_thing or key == "aws:username" or not _MAY_HAVE_A_VALUE.fullmatch(key)


def request_of(
    action: str,
    resource: str,
    *,
    identity: str,
    pool: str,
    client: str | None,
    more: Mapping[str, Sequence[str]] | None = None,
) -> Request:
    """What somebody who signed in to an identity pool asks, over a connection with this client id (None: unknown)."""
    values = (
        {SUB: [identity], AUD: [pool]}
        | ({CLIENT_ID: [client]} if client is not None else {})
        | dict(more or {})
    )
    return Request(action, resource, {key.lower(): value for key, value in values.items()})


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator with one key, such as `StringLike` with `iot:ClientId`."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """`label` is its Sid, or else its number. With `but` the lists name what it is not about."""

    label: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    not_actions: bool = False
    not_resources: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A policy, under the name by which people know it."""

    name: str
    statements: tuple[Statement, ...]
    has_variables: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that applies, or may: by which of its actions and resources, and on what that depends."""

    document: str
    statement: str
    effect: str
    action: str
    resource: str
    depends: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A statement that would allow the action, and why it does not apply."""

    document: str
    statement: str
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What documents say together. `found` are the statements that decide it, or that would if more were known."""

    verdict: Verdict
    found: tuple[Match, ...] = ()
    near: tuple[NearMiss, ...] = ()

    @property
    def depends(self) -> list[str]:
        """What would have to be known."""
        return sorted(frozenset().union(*(one.depends for one in self.found)))


LONGEST = 200  # of a text of a policy that is shown: an ARN of a topic is no longer as a rule


def short(text: str) -> str:
    """A text of somebody's policy, cut where it is too long to be read."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(map(short, texts[:3])) + more


# -- reading


_WRAPPINGS = ("policyDocument", "PolicyDocument", "Document", "PolicyVersion")
_DEEPEST = 4  # one wrapping in another: none is deeper that the AWS CLI prints


def parse(name: str, given: str | bytes | Mapping[str, Any]) -> Document:
    """Read a policy: the document itself, or what `aws iot get-policy` or `aws iam get-role-policy` print around it.

    Raises `LocalError`, naming `name` and what is wrong.
    """
    value: Any = given
    for _ in range(_DEEPEST):
        if isinstance(value, str | bytes):
            value = _read_json(name, value)
        if not isinstance(value, Mapping) or "Statement" in value:
            break
        own = value.get("policyName") or value.get("PolicyName")
        name = short(own) if own and isinstance(own, str) else name
        inner = (value[key] for key in _WRAPPINGS if isinstance(value.get(key), str | Mapping))
        value = next(inner, None)
    if not isinstance(value, Mapping) or "Statement" not in value:
        raise LocalError(f"{name}: is no policy: a policy is a JSON object with a 'Statement'")
    version = value.get("Version")
    if version not in (None, "2008-10-17", WITH_VARIABLES):
        told = short(json.dumps(version)) if isinstance(version, str | int) else "no text"
        raise LocalError(f'{name}: its Version is {told}: write "{WITH_VARIABLES}"')
    statements = value["Statement"]
    if not isinstance(statements, list):
        statements = [statements]
    return Document(
        name,
        tuple(_statement(name, number, one) for number, one in enumerate(statements, 1)),
        version == WITH_VARIABLES,
    )


def _read_json(name: str, text: str | bytes) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Of two of a name Python takes the last, and AWS may take the other, or none."""
        found = dict(pairs)
        if len(found) < len(pairs):
            [(key, _), *_] = Counter(key for key, _ in pairs).most_common(1)
            raise LocalError(f"{name}: has '{short(key)}' twice in one object")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise LocalError(f"{name}: is not JSON: {error}") from error


_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _statement(name: str, number: int, given: Any) -> Statement:
    def wrong(what: str) -> LocalError:
        return LocalError(f"{name}: statement {number} {what}")

    if not isinstance(given, dict):
        raise wrong("is no JSON object")
    if unknown := sorted(given.keys() - _ELEMENTS):
        raise wrong(f"has '{short(unknown[0])}', which a statement of such a policy cannot have")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise wrong('has no Effect that is "Allow" or "Deny"')

    def either(element: str) -> tuple[tuple[str, ...], bool]:
        but = f"Not{element}"
        if (element in given) == (but in given):
            raise wrong(f"needs '{element}' or '{but}', and not both")
        chosen = element if element in given else but
        if (texts := _texts(given[chosen])) is None:
            raise wrong(f"has a '{chosen}' that is neither a text nor a list of texts")
        if not texts:
            raise wrong(f"has an empty '{chosen}', which AWS refuses")  # IAM: "must contain actions"
        return texts, chosen == but

    blocks = given.get("Condition", {})
    if not isinstance(blocks, dict) or not all(isinstance(block, dict) for block in blocks.values()):
        raise wrong("has a 'Condition' that is not {operator: {key: value}}")
    conditions = []
    for operator, block in blocks.items():
        for key, value in block.items():
            if (values := _texts(value, plain=True)) is None:
                raise wrong(
                    f"has a condition {short(operator)} on {short(key)} without a text, or a list of texts"
                )
            conditions.append(Condition(operator, key, values))
    (actions, not_actions), (resources, not_resources) = either("Action"), either("Resource")
    sid = given.get("Sid")
    label = short(sid) if isinstance(sid, str) and sid else f"statement {number}"
    return Statement(
        label, given["Effect"], actions, resources, tuple(conditions), not_actions, not_resources
    )


def _texts(given: Any, *, plain: bool = False) -> tuple[str, ...] | None:
    """A text or a list of texts; `plain` takes numbers and truth values too, as conditions may have them."""
    values = given if isinstance(given, list) else [given]
    if plain:
        values = [json.dumps(v) if isinstance(v, bool | int | float) else v for v in values]
    return tuple(values) if all(isinstance(value, str) for value in values) else None


# -- deciding


def decide(documents: Iterable[Document], request: Request) -> Decision:
    """What the documents say to a request, and by which statements."""
    given = [(document, one) for document in documents for one in document.statements]
    found = [found for document, one in given if (found := _found(document, one, request))]
    denied = [one for one in found if one.effect == "Deny"]
    allowed = [one for one in found if one.effect == "Allow"]
    if certain := [one for one in denied if not one.depends]:
        return Decision(Verdict.REFUSED, tuple(certain))
    if not allowed:
        near = [_near(document, one, request) for document, one in given if one.effect == "Allow"]
        return Decision(Verdict.REFUSED, (), tuple(filter(None, near)))
    certain = [one for one in allowed if not one.depends]
    if certain and not denied:
        return Decision(Verdict.ALLOWED, tuple(certain))
    return Decision(Verdict.UNDECIDED, tuple(denied + (certain or allowed)))


Truth = bool | frozenset[str]
"""Yes, no, or what it depends on."""


def _all(truths: Iterable[Truth]) -> Truth:
    depends: set[str] = set()
    for truth in truths:
        if truth is False:
            return False
        if truth is not True:
            depends |= truth
    return frozenset(depends) or True


def _any(truths: Iterable[Truth]) -> Truth:
    return _not(_all(map(_not, truths)))


def _not(truth: Truth) -> Truth:
    return not truth if isinstance(truth, bool) else truth


def _found(document: Document, statement: Statement, request: Request) -> Match | None:
    action = _action(statement, request)
    if action is None:
        return None
    resource, truth = _resource(document, statement, request)
    whole = _all([truth, *(_holds(document, one, request) for one in statement.conditions)])
    if whole is False:
        return None
    depends = frozenset() if whole is True else whole
    return Match(document.name, statement.label, statement.effect, action, resource, depends)


def _action(statement: Statement, request: Request) -> str | None:
    """By which of its actions a statement is about the request; upper and lower case are the same there."""
    wanted = request.action.lower()
    fits = [one for one in statement.actions if fnmatchcase(wanted, one.lower().replace("[", "[[]"))]
    if statement.not_actions:
        return None if fits else f"all but {_some(statement.actions)}"
    return fits[0] if fits else None


def _resource(document: Document, statement: Statement, request: Request) -> tuple[str, Truth]:
    """Which of its resources it is, and whether."""
    truths = {one: _like(document, _whole_arn(one), request.resource, request) for one in statement.resources}
    if statement.not_resources:
        return f"all but {_some(statement.resources)}", _not(_any(truths.values()))
    if fits := next((one for one, truth in truths.items() if truth is True), None):
        return fits, True
    maybe = [one for one, truth in truths.items() if truth is not False]
    return _some(maybe), _any(truths.values())


def _whole_arn(pattern: str) -> str:
    """An ARN that ends early goes on with wildcards: reference_policies_elements_resource.html of IAM's User Guide."""
    return pattern + ":*" * (5 - pattern.count(":")) if pattern.startswith("arn:") else pattern


# `${name}`, or `${name, 'what stands for it where it has no value'}`
_VARIABLE = re.compile(r"\$\{\s*([^},\s]+)\s*(?:,\s*'([^']*)'\s*)?\}")
_TOKEN = re.compile(rf"{_VARIABLE.pattern}|[*?]|\$|[^*?$]+")

_HEAD = re.compile(r"[^*?$]*")


@lru_cache(maxsize=2048)  # a broker asks for the same again and again
def _tokens(text: str, has_variables: bool) -> tuple[tuple[str, str | None, str | None], ...]:
    """The parts of a pattern: its text, and of a variable the name and what stands for it without a value."""
    pattern = _TOKEN if has_variables else re.compile(r"()()(?:[*?]|[^*?]+)")
    return tuple((found[0], found[1] or None, found[2]) for found in pattern.finditer(text))


def _like(
    document: Document,
    pattern: str,
    text: str,
    request: Request,
    *,
    wildcards: bool = True,
    any_case: bool = False,
) -> Truth:
    """Whether a pattern of a document takes a text.

    `*` is any run of characters, also over `/` and `:`, and `?` is one; MQTT's `+` and `#` mean nothing:
    docs.aws.amazon.com/iot/latest/developerguide/pub-sub-policy.html. A variable without a value takes no text:
    docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
    """
    if any_case:
        pattern, text = pattern.lower(), text.lower()
    if not text.startswith(_HEAD.match(pattern)[0]):  # type: ignore[index]  # it matches the empty text
        return False
    runs = [[""]]  # what stands between one `*` and the next, and in there between one `?` and the next
    depends = set()
    for piece, name, default in _tokens(pattern, document.has_variables):
        plain = piece
        if name in ("*", "?", "$"):
            plain = name
        elif name:
            values, complete = request.known(name)
            if not complete:
                depends.add(name)
                runs.append([""])
                continue
            if len(values) != 1 and (values or default is None):
                return False
            plain = (values[0] if values else default) or ""
            plain = plain.lower() if any_case else plain
        elif wildcards and piece in ("*", "?"):
            if piece == "*":
                runs.append([""])
            else:
                runs[-1].append("")
            continue
        runs[-1][-1] += plain
    return _fits(runs, text) and (frozenset(depends) or True)


def _fits(runs: list[list[str]], text: str) -> bool:
    """Whether the runs stand in a text in their order. The nearest place for each will do: to try all takes years."""
    first, *others = runs
    at = _end(first, text, 0)
    if not others:
        return at == len(text)
    *middle, last = others
    for run in middle:
        if at is not None:
            at = next(
                (end for start in range(at, len(text) + 1) if (end := _end(run, text, start)) is not None),
                None,
            )
    start = len(text) - sum(map(len, last)) - len(last) + 1
    return at is not None and at <= start and _end(last, text, start) is not None


def _end(run: list[str], text: str, at: int) -> int | None:
    """Where a run ends that begins there, if it does."""
    for piece in run:
        if not text.startswith(piece, at):
            return None
        at += len(piece) + 1  # one more for a `?`
    return at - 1


# -- conditions: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html

Compare = Callable[[Document, str, str, Request], Truth]
"""Whether a value of a condition takes a value of the request."""


def _ordered(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Compare:
    def compare(_: Document, wanted: str, value: str, __: Request) -> bool:
        try:
            return holds(read(value), read(wanted))
        except (ValueError, OverflowError):  # what cannot be read is nothing that anything is equal to
            return False

    return compare


def _moment(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    if re.fullmatch(r"\d{9,}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_NUMBERS = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
_COMPARES: dict[str, Compare] = {
    "StringEquals": partial(_like, wildcards=False),
    "StringEqualsIgnoreCase": partial(_like, wildcards=False, any_case=True),
    "StringLike": _like,
    "ArnEquals": _like,  # the same as ArnLike
    "ArnLike": _like,
    "Bool": partial(_like, wildcards=False, any_case=True),
    "IpAddress": _ordered(str, lambda a, net: ip_address(a) in ip_network(net, strict=False)),
    **{f"Numeric{name}": _ordered(float, holds) for name, holds in _NUMBERS.items()},
    **{f"Date{name}": _ordered(_moment, holds) for name, holds in _NUMBERS.items()},
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
_OPERATORS = {name.lower(): name for name in (*_COMPARES, *_NEGATIONS, "Null")}


def _holds(document: Document, condition: Condition, request: Request) -> Truth:
    """Whether a condition holds. Without its key, a negation holds and `…IfExists` does, all else does not.

    `ForAllValues:` holds for no values at all, `ForAnyValue:` does not, and neither looks at `…IfExists`.
    """
    quantifier, _, name = condition.operator.lower().rpartition(":")
    operator, if_exists = _OPERATORS.get(name.removesuffix("ifexists")), name.endswith("ifexists")
    if operator is None or quantifier not in ("", "forallvalues", "foranyvalue"):
        return frozenset([OPERATOR + condition.operator])
    negated = operator in _NEGATIONS
    values, complete = request.known(condition.key)
    if not values and not complete:
        return frozenset([condition.key])
    if operator == "Null":
        return any((wanted.lower() == "true") != bool(values) for wanted in condition.values)
    if not values:
        return quantifier == "forallvalues" or (not quantifier and (negated or if_exists))

    compare = _COMPARES[_NEGATIONS.get(operator, operator)]

    def one(value: str) -> Truth:
        found = _any(compare(document, wanted, value, request) for wanted in condition.values)
        return _not(found) if negated else found

    each = [*map(one, values), *([] if complete else [frozenset([condition.key])])]
    return _all(each) if quantifier == "forallvalues" or (negated and not quantifier) else _any(each)


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "aws:sourceip": (ip_address, "an address, such as 203.0.113.7"),
    "aws:vpcsourceip": (ip_address, "an address, such as 10.0.0.7"),
    **dict.fromkeys(
        ("aws:currenttime", "aws:tokenissuetime", "aws:epochtime"), (_moment, "a time: 2026-11-23T18:00:00Z")
    ),
    "aws:multifactorauthage": (float, "a number of seconds"),
    **dict.fromkeys(
        ("aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice", IS_A_THING.lower()),
        ({"true": True, "false": False}.__getitem__, "true or false"),
    ),
}
"""How values are read of keys that have a type:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


def wants(key: str, value: str) -> str | None:
    """What a key wants in place of a value that it cannot have; None if it can."""
    read, what = _READERS.get(key.lower(), (str, ""))
    try:
        read(value)
    except (ValueError, OverflowError, LookupError):
        return what
    return None


# -- explaining


def _near(document: Document, statement: Statement, request: Request) -> NearMiss | None:
    """Why a statement that is about the action does not apply; None if it is about another."""
    if _action(statement, request) is None:
        given = {one if ":" in one else f"iot:{one}": one for one in statement.actions}
        other = [whole for whole, one in given.items() if one.lower() not in _ACTIONS]
        if statement.not_actions or not (meant := _meant(request.action, other, likeness=0.8)):
            return None
        why = f"its action is {short(given[meant])}: is {request.action} meant?"
    else:
        why = _why_not(document, statement, request)
    return NearMiss(document.name, statement.label, why)


_ACTIONS = {f"iot:{action}" for action in KINDS}


def _why_not(document: Document, statement: Statement, request: Request) -> str:
    if _resource(document, statement, request)[1] is False:
        if statement.not_resources:
            return "its NotResource names this resource"
        reasons = (_why_no_match(document, one, request) for one in statement.resources)
        told = next(filter(None, reasons), None) or _why_other_kind(statement, request)
        others = [one for one in map(_last, statement.resources) if one.startswith(f"{_kind(request)}/")]
        return told or f"it is for {_some(others or [*map(_last, statement.resources)])}"
    failed = next(one for one in statement.conditions if _holds(document, one, request) is False)
    if lost := next(filter(None, map(_lost_variable, failed.values)), None):
        return lost
    values, complete = request.known(failed.key)
    now = f"it is {_some([*values, *([] if complete else ['…'])])}" if values else _nothing(failed.key, "{}")
    key = f"{short(failed.operator)} {short(failed.key)} {_some(failed.values)}"
    return f"its condition {key} does not hold: {now}"


_NAME = r"((?:cognito-identity\.amazonaws\.com|iot|aws):[\w.]+)"
_LOST = re.compile(rf"\$\{{{_NAME}(?![\w.]|\s*[,}}])|(?<!\$)\{{{_NAME}\}}?|\${_NAME}")


def _lost_variable(text: str) -> str | None:
    """What looks like a variable, and lacks its `$` or a brace."""
    if (found := _LOST.search(text)) is None:
        return None
    return f"its {short(found[0])} is plain text: is ${{{short(found[found.lastindex or 0])}}} meant?"


def _why_no_match(document: Document, pattern: str, request: Request) -> str | None:
    """What is wrong with a resource that looks as if it was meant; None if it is just for another one."""
    if lost := _lost_variable(pattern):
        return lost
    names = [
        name
        for _, name, default in _tokens(pattern, True)
        if name and default is None and name not in ("*", "?", "$")
    ]
    if names and not document.has_variables:
        return f"its document has no Version {WITH_VARIABLES}, without which ${{{short(names[0])}}} is plain text"
    for name in names:
        values, complete = request.known(name)
        if complete and len(values) != 1:
            return _nothing(name)
    here, there = request.resource.split(":", 5), _whole_arn(pattern).split(":", 5)
    if len(there) == 6:
        for number, what in ((1, "partition"), (3, "region"), (4, "account")):
            moved = ":".join([*there[:number], here[number], *there[number + 1 :]])
            if _like(document, moved, request.resource, request):
                return f"its {what} is '{short(there[number])}', and here it is '{here[number]}'"
        kind, _, rest = there[5].partition("/")
        wanted = _kind(request)
        if {kind, wanted} == {"topic", "topicfilter"}:
            moved = ":".join([*there[:5], f"{wanted}/{rest}"])
            if _like(document, moved, request.resource, request):
                return _other_kind(kind, request)
    with_wildcards = pattern.replace("+", "*").replace("#", "*")
    if with_wildcards != pattern and _like(document, with_wildcards, request.resource, request):
        return f"in its {_last(pattern)} '+' and '#' are plain characters: the wildcard of a policy is '*'"
    # Not to publish: whoever can do that under more topics than his own can speak in another's name.
    if _kind(request) != "topic" and _like(document, pattern + "*", request.resource, request):
        return f"its {_last(pattern)} ends too early: with '*' at its end it would match"
    return None


def _why_other_kind(statement: Statement, request: Request) -> str | None:
    kinds = [_last(one).partition("/")[0] for one in statement.resources]
    if not kinds or any(kind == _kind(request) or kind not in KINDS.values() for kind in kinds):
        return None
    return _other_kind(next((kind for kind in kinds if kind != "client"), "client"), request)


def _other_kind(kind: str, request: Request) -> str:
    return f"its resource begins with {kind}/, and {request.action} takes {_kind(request)}/"


def _kind(request: Request) -> str | None:
    return KINDS.get(request.action.partition(":")[2].lower())


def _nothing(name: str, form: str = "${{{}}}") -> str:
    told = f"{form.format(short(name))} stands for nothing"
    if reason := next((why for begin, why in _NEVER.items() if name.lower().startswith(begin)), None):
        return f"{told}: {reason}"
    near = _meant(name, (SUB, AUD, AMR, CLIENT_ID, "aws:SourceIp"))
    return told + (f": is {form.format(near)} meant?" if near else "")


def _meant(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Which of those that are known was probably meant."""
    import difflib  # here, since few look for a mistake

    by_lower_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower()[:LONGEST], by_lower_case, 1, likeness)
    return by_lower_case[near[0]] if near else None


def what_is_open(depends: Iterable[str]) -> str:
    """What to do about what a decision depends on."""
    keys = sorted(key for key in depends if not key.startswith(OPERATOR))
    told = [f"Say what it is with --context: {_some([f'{key}=…' for key in keys])}"] if keys else []
    known = [*_OPERATORS.values(), *(f"{one}IfExists" for one in _OPERATORS.values())]
    for name in sorted(one.removeprefix(OPERATOR) for one in depends if one.startswith(OPERATOR))[:3]:
        quantifier, colon, operator = name.rpartition(":")
        near = None if operator == "BinaryEquals" else _meant(operator, known)
        told.append(
            f"{OPERATOR.capitalize()}{short(name)} is not known"
            + (f": is {quantifier}{colon}{near} meant?" if near else ".")
        )
    return "\n".join(told)


def _last(arn: str) -> str:
    """What stands behind the account in an ARN."""
    return short(arn.split(":", 5)[-1])
