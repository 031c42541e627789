"""The condition operators of IAM, such as `StringLike` and `IpAddress`.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from aws_iot.policy.context import Request, parse_time
from aws_iot.policy.documents import Condition
from aws_iot.policy.logic import Truth, Unknown, all_of, any_of, negate
from aws_iot.policy.patterns import matches


def holds(condition: Condition, request: Request, *, has_variables: bool) -> Truth:
    """Whether a condition holds. If its key has no value, a negation and `…IfExists` hold, and all else does not.

    `ForAllValues:` holds for no values at all, `ForAnyValue:` does not, and both ignore `…IfExists`.
    """
    quantifier, _, name = condition.operator.lower().rpartition(":")
    operator, if_exists = _OPERATORS.get(name.removesuffix("ifexists")), name.endswith("ifexists")
    if operator is None or quantifier not in ("", "forallvalues", "foranyvalue"):
        return Unknown(operators=frozenset([condition.operator]))
    negated = operator in _NEGATIONS
    values, complete = request.lookup(condition.key)
    other_values = Unknown(frozenset([condition.key]))
    if not values and not complete:
        return other_values
    if operator == "Null":
        return any((expected.lower() == "true") != bool(values) for expected in condition.values)
    if not values:
        return quantifier == "forallvalues" or (not quantifier and (negated or if_exists))

    compare = _COMPARISONS[_NEGATIONS.get(operator, operator)]

    def fits(value: str) -> Truth:
        found = any_of(
            compare(expected, value, request, has_variables=has_variables) for expected in condition.values
        )
        return negate(found) if negated else found

    results = [*map(fits, values), *([] if complete else [other_values])]
    needs_all = quantifier == "forallvalues" or (negated and not quantifier)
    return all_of(results) if needs_all else any_of(results)


class Comparison(Protocol):
    """Whether a value of the request fits the value that a condition expects."""

    def __call__(self, expected: str, value: str, request: Request, /, *, has_variables: bool) -> Truth:
        """`has_variables`: `${…}` in `expected` is a variable."""
        ...


def _compare_as(read: Callable[[str], Any], fits: Callable[[Any, Any], bool]) -> Comparison:
    def compare(expected: str, value: str, _: Request, /, *, has_variables: bool) -> bool:  # noqa: ARG001
        try:
            return fits(read(value), read(expected))
        except (ValueError, OverflowError):  # a value that cannot be read fits nothing
            return False

    return compare


_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
_COMPARISONS: dict[str, Comparison] = {
    "StringEquals": partial(matches, wildcards=False),
    "StringEqualsIgnoreCase": partial(matches, wildcards=False, ignore_case=True),
    "StringLike": matches,
    "ArnEquals": matches,  # the same as ArnLike
    "ArnLike": matches,
    "Bool": partial(matches, wildcards=False, ignore_case=True),
    "IpAddress": _compare_as(str, lambda a, net: ip_address(a) in ip_network(net, strict=False)),
    **{f"Numeric{name}": _compare_as(float, fits) for name, fits in _ORDERINGS.items()},
    **{f"Date{name}": _compare_as(parse_time, fits) for name, fits in _ORDERINGS.items()},
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
_OPERATORS = {name.lower(): name for name in (*_COMPARISONS, *_NEGATIONS, "Null")}

OPERATORS = [*_OPERATORS.values(), *(f"{name}IfExists" for name in _OPERATORS.values())]
"""All operators that are known here. `BinaryEquals` is not: no key of AWS IoT Core is binary."""
