"""AWS behavior: an identity pool lists all its identities, in pages.

The maximum of a page is that of ListIdentities: cognito-identity 2014-06-30.

ministack 1.5.33 returns one page and leaves out the rest. This patch replaces `cognito._list_identities`.
"""

from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]

MOST_PER_PAGE = 60


def apply() -> None:
    """Let the engine list identities in pages."""
    cognito._list_identities = _list_identities


def _list_identities(request: dict[str, Any]) -> Response:
    pool = cognito._identity_pools.get(request.get("IdentityPoolId"))
    if pool is None:
        return _refused("ResourceNotFoundException", "The identity pool does not exist.")
    size, token = request.get("MaxResults", 0), request.get("NextToken", "0")
    if not 1 <= size <= MOST_PER_PAGE:
        return _refused("InvalidParameterException", f"MaxResults is from 1 to {MOST_PER_PAGE}.")
    if not token.isdecimal():
        return _refused("InvalidParameterException", "The token is not valid.")
    hides = request.get("HideDisabled", False)
    listed = [one for one in pool["_identities"].values() if not (hides and one.get("_merged_into"))]
    end = int(token) + size
    page = {
        "IdentityPoolId": request["IdentityPoolId"],
        "Identities": [_described(one) for one in listed[int(token) : end]],
    }
    response: Response = json_response(page | ({"NextToken": str(end)} if end < len(listed) else {}))
    return response


def _described(identity: dict[str, Any]) -> dict[str, Any]:
    same = ("IdentityId", "CreationDate", "LastModifiedDate")
    return {name: identity[name] for name in same} | {"Logins": cognito._identity_login_names(identity)}


def _refused(error: str, message: str) -> Response:
    response: Response = error_response_json(error, message, 400)
    return response
