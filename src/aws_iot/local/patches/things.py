"""AWS behavior: the registry of things limits attributes, and lists things in pages.

The limits are those of API version 2015-05-28, and of docs.aws.amazon.com/general/latest/gr/iot-core.html. AWS does not
document the messages of these errors.

ministack 1.5.33 stores any attributes, and lists all things at once. This patch wraps `iot._create_thing`,
`iot._update_thing` and `iot._list_things`.
"""

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import iot

Response = tuple[int, dict[str, str], bytes]

MOST_ATTRIBUTES = 3
"""The maximum of a thing without a type."""

MOST_PER_PAGE = 250
NAME = re.compile(r"[a-zA-Z0-9_.,@/:#-]{1,128}")
VALUE = re.compile(r"[a-zA-Z0-9_.,@/:#=\[\]-]{0,800}")


def apply() -> None:
    """Let the engine's registry follow the limits."""
    iot._create_thing = _checked(iot._create_thing)
    iot._update_thing = _checked(iot._update_thing)
    iot._list_things = _paged(iot._list_things)


def _checked(store: Callable[[str, dict[str, Any]], Response]) -> Callable[[str, dict[str, Any]], Response]:
    def check_and_store(name: str, request: dict[str, Any]) -> Response:
        payload = request.get("attributePayload") or {}
        given = payload.get("attributes") or {}
        for key, value in given.items():
            if not NAME.fullmatch(key) or not VALUE.fullmatch(value):
                return _invalid(
                    f"the attribute {key} has a name or value with characters that are not allowed"
                )
        thing = iot._things.get(name) or {}
        kept = thing.get("attributes", {}) if payload.get("merge") else {}
        has_type = request.get("thingTypeName") or thing.get("thingTypeName")
        if not has_type and len({**kept, **given}) > MOST_ATTRIBUTES:
            return _invalid(f"a thing without a type has at most {MOST_ATTRIBUTES} attributes")
        return store(name, request)

    return check_and_store


def _paged(find: Callable[[dict[str, str]], Response]) -> Callable[[dict[str, str]], Response]:
    def find_page(query: dict[str, str]) -> Response:
        size = int(query.get("maxResults") or MOST_PER_PAGE)
        if not 1 <= size <= MOST_PER_PAGE:
            return _invalid(f"maxResults is from 1 to {MOST_PER_PAGE}")
        start = int(query.get("nextToken") or 0)
        status, headers, body = find(query)
        if status != 200:
            return status, headers, body
        found = iot._parse_body(body)["things"]
        page = {"things": found[start : start + size]}
        more = {"nextToken": str(start + size)} if start + size < len(found) else {}
        response: Response = json_response(page | more)
        return response

    return find_page


def _invalid(message: str) -> Response:
    response: Response = error_response_json("InvalidRequestException", message, 400)
    return response
