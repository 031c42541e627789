"""Three-valued logic: true, false, or unknown because a value is missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

OPERATOR = "the operator "
"""Prefix of an unknown condition operator in a list of unknown things."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither true nor false: the answer depends on these condition keys and condition operators."""

    keys: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()

    @classmethod
    def union(cls, unknowns: Iterable["Unknown"]) -> Self:
        """Everything that several answers depend on."""
        keys: set[str] = set()
        operators: set[str] = set()
        for unknown in unknowns:
            keys |= unknown.keys
            operators |= unknown.operators
        return cls(frozenset(keys), frozenset(operators))

    def __bool__(self) -> bool:
        """Whether the answer depends on anything at all."""
        return bool(self.keys or self.operators)

    def names(self) -> list[str]:
        """All of them, sorted; operators carry the prefix `OPERATOR`."""
        return sorted(self.keys | {OPERATOR + one for one in self.operators})


KNOWN = Unknown()
"""Depends on nothing."""

Truth = bool | Unknown


def all_of(truths: Iterable[Truth]) -> Truth:
    """False if one is false; otherwise unknown if one is unknown."""
    unknowns = []
    for truth in truths:
        if truth is False:
            return False
        if isinstance(truth, Unknown):
            unknowns.append(truth)
    return Unknown.union(unknowns) or True


def any_of(truths: Iterable[Truth]) -> Truth:
    """True if one is true; otherwise unknown if one is unknown."""
    return negate(all_of(map(negate, truths)))


def negate(truth: Truth) -> Truth:
    """The opposite; what is unknown stays unknown."""
    return truth if isinstance(truth, Unknown) else not truth
