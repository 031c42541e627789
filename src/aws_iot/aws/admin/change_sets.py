"""Read the changes of a CloudFormation change set: what happens to each resource, and which are really replaced."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aws_iot.backend.stack import Change

_REFERENCES = ("ResourceReference", "ResourceAttribute")


def read_changes(pages: Sequence[Mapping[str, Any]]) -> list[Change]:
    """The changes in all pages of `DescribeChangeSet`."""
    found = [one["ResourceChange"] for page in pages for one in page["Changes"] if "ResourceChange" in one]
    unchanged = _not_replaced(found)
    return [_change(one, unchanged) for one in found]


def _change(found: Mapping[str, Any], not_replaced: Collection[str]) -> Change:
    names = {_property(detail) for detail in found.get("Details", ())} - {""}
    sources: dict[str, set[str]] = {}
    for detail in _recreating(found):
        sources.setdefault(_property(detail), set()).update(filter(None, [detail.get("CausingEntity")]))
    causes = [f"{name} (from {', '.join(sorted(of))})" if of else name for name, of in sources.items()]
    resource = found["LogicalResourceId"]
    replacement = "False" if resource in not_replaced else found.get("Replacement")
    return Change(
        found["Action"],
        resource,
        found["ResourceType"],
        replacement,
        sorted(names),
        sorted(causes) if replacement in ("True", "Conditional") else (),
    )


def _not_replaced(changes: Sequence[Mapping[str, Any]]) -> Collection[str]:
    """The resources that CloudFormation calls "conditionally replaced", although they keep what they refer to.

    CloudFormation does not check whether a reference will have another value. In our template, resources refer only
    to values that never change while a resource exists: IDs, ARNs, and the provider's name.
    """
    conditional = {
        one["LogicalResourceId"]: one for one in changes if one.get("Replacement") == "Conditional"
    }
    replaced = {one["LogicalResourceId"] for one in changes if one.get("Replacement") == "True"}
    kept = {name for name, one in conditional.items() if _recreating(one)}
    while wrong := {
        name
        for name in kept
        for detail in _recreating(conditional[name])
        if detail.get("ChangeSource") not in _REFERENCES
        or detail.get("CausingEntity", "").partition(".")[0] in replaced | (conditional.keys() - kept)
    }:
        kept -= wrong
    return kept


def _recreating(change: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The details of a change that may lead to a new resource."""
    return [
        detail
        for detail in change.get("Details", ())
        if detail.get("Target", {}).get("RequiresRecreation") in ("Always", "Conditionally")
    ]


def _property(detail: Mapping[str, Any]) -> str:
    target = detail.get("Target", {})
    return target.get("Name") or target.get("Attribute") or ""
