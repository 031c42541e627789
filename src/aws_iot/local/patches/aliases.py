"""E-mail addresses as aliases at the local user pool: whoever confirms last has the address, as on AWS.

ministack 1.5.33 neither verifies the address of an account that is confirmed nor moves it. What it
keeps private and we use is in this module, `policy`, `faults` and `memory`; a test fails when it moves.
"""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]

_ADDRESS_IS_TAKEN: Response = error_response_json(
    "AliasExistsException", "An account with the email already exists.", 400
)


def enforce() -> None:
    """Make the engine's user pools verify and move addresses when an account is confirmed."""
    confirm = cognito._confirm_sign_up

    def confirm_and_move(request: dict[str, Any]) -> Response:
        pool = next(
            (p for p in cognito._user_pools.values() if request.get("ClientId") in p["_clients"]), None
        )
        user = pool["_users"].get(request.get("Username")) if pool else None
        rivals = _rivals(pool, user) if pool and user and "email" in pool.get("AliasAttributes", ()) else []
        if rivals and not request.get("ForceAliasCreation"):
            return _ADDRESS_IS_TAKEN
        response: Response = confirm(request)
        if user and response[0] == 200:
            _set_verified(user, "true")
            for rival in rivals:
                _set_verified(rival, "false")
        return response

    cognito._confirm_sign_up = confirm_and_move


def _rivals(pool: dict[str, Any], user: dict[str, Any]) -> list[dict[str, Any]]:
    """The other accounts of whom this user's address is an alias now."""
    address = _attributes(user).get("email")
    return [
        other
        for other in pool["_users"].values()
        if other is not user
        and _attributes(other).get("email") == address
        and _attributes(other).get("email_verified") == "true"
    ]


def _attributes(user: dict[str, Any]) -> dict[str, str]:
    return {a["Name"]: a["Value"] for a in user["Attributes"]}


def _set_verified(user: dict[str, Any], value: str) -> None:
    others = [a for a in user["Attributes"] if a["Name"] != "email_verified"]
    user["Attributes"] = [*others, {"Name": "email_verified", "Value": value}]
