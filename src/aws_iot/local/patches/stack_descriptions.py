"""AWS behavior: a stack has the description of its template, however it was created or changed.

ministack 1.5.33 stores no description if a stack is created by a change set, as `aws cloudformation deploy` does it,
and never changes it. This patch wraps its handler of DescribeStacks.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers

Response = tuple[int, dict[str, str], bytes]


def apply() -> None:
    """Let the engine describe each stack by its template."""
    table = handlers._ACTION_HANDLERS
    table["DescribeStacks"] = _describing(table["DescribeStacks"])


def _describing(describe: Callable[[Any], Response]) -> Callable[[Any], Response]:
    def describe_by_template(parameters: Any) -> Response:
        for stack in cloudformation._stacks.values():
            stack["Description"] = _description(stack.get("_template_body", ""))
        return describe(parameters)

    return describe_by_template


@lru_cache(maxsize=64)
def _description(template: str) -> str:
    # A change set that was not executed leaves a stack without a template.
    return str(engine._parse_template(template).get("Description", "")) if template else ""
