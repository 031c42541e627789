"""AWS behavior: Cognito rejects values that the model of its API does not allow: their length, pattern or enum.

The models are botocore's, through the engine: cognito-idp 2016-04-18 and cognito-identity 2014-06-30. The form of the
message is that of public bug reports about AWS.

ministack 1.5.33 accepts any values, so this patch wraps `cognito._dispatch_idp` and `cognito._dispatch_identity`. Its
secrets of app clients may hold characters that the model does not allow, so it replaces `cognito._client_secret`.
"""

import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ministack.core.responses import _service_model, error_response_json
from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]
Dispatch = Callable[[str, dict[str, Any]], Awaitable[Response]]

PATTERNS = {"PasswordType": r"[\S]+.*[\S]+"}
"""Patterns that differ from botocore's: a password may have blanks, but not at its ends.

"Adding user pool password requirements" in the Cognito developer guide.
"""

OF_CATEGORIES = re.compile(r"\^?\[((?:\\p\{[A-Z]\})+)\]\+\$?")
"""A pattern of Java for characters of some Unicode categories, such as `[\\p{L}\\p{N}]+`."""


def apply() -> None:
    """Let the engine's user pools and identity pools check the values of each request."""
    cognito._dispatch_idp = _checked(cognito._dispatch_idp, "cognito-idp", "InvalidParameterException")
    cognito._dispatch_identity = _checked(
        cognito._dispatch_identity, "cognito-identity", "ValidationException"
    )
    cognito._client_secret = lambda: secrets.token_hex(32)


def _checked(dispatch: Dispatch, service: str, error: str) -> Dispatch:
    model = _service_model(service)

    async def check_and_dispatch(action: str, request: dict[str, Any]) -> Response:
        if action in model.operation_names:
            shape = model.operation_model(action).input_shape
            if problems := list(_problems(shape, request, "")):
                plural = "s" if len(problems) > 1 else ""
                message = f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}"
                response: Response = error_response_json(error, message, 400)
                return response
        return await dispatch(action, request)

    return check_and_dispatch


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    """What the shape does not allow in a value. Values of another type are left to the engine."""
    if shape is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                yield from _problems(member, value[name], f"{path}.{_lowered(name)}".lstrip("."))
    elif shape.type_name == "list" and isinstance(value, list):
        for number, one in enumerate(value, 1):
            yield from _problems(shape.member, one, f"{path}.{number}.member")
    elif shape.type_name == "string" and isinstance(value, str):
        shown = "Value" if shape.metadata.get("sensitive") else f"Value '{value}'"
        for rule in _broken_rules(shape, value):
            yield f"{shown} at '{path}' failed to satisfy constraint: Member must {rule}"


def _broken_rules(shape: Any, value: str) -> Iterator[str]:
    rules = shape.metadata
    if len(value) < rules.get("min", 0):
        yield f"have length greater than or equal to {rules['min']}"
    if len(value) > rules.get("max", len(value)):
        yield f"have length less than or equal to {rules['max']}"
    pattern = PATTERNS.get(shape.name, rules.get("pattern", ""))
    if pattern and not _matches(pattern, value):
        yield f"satisfy regular expression pattern: {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"satisfy enum value set: [{', '.join(shape.enum)}]"


def _matches(pattern: str, value: str) -> bool:
    if found := OF_CATEGORIES.fullmatch(pattern):
        categories = set(re.findall(r"\{(.)\}", found[1]))
        return bool(value) and all(unicodedata.category(one)[0] in categories for one in value)
    # Python has no other patterns with categories. They are those of texts that only an admin sets.
    return "\\p" in pattern or re.fullmatch(pattern, value, re.ASCII) is not None


def _lowered(name: str) -> str:
    return name[0].lower() + name[1:]
