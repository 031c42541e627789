"""AWS behavior: confirming an account verifies its e-mail address, and takes that alias from other accounts.

"Customizing sign-in attributes" in the Cognito developer guide.

ministack 1.5.33 neither verifies the address of a confirmed account nor moves the alias. This patch wraps
`cognito._confirm_sign_up`.
"""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito

from aws_iot.local.patches.case_insensitive_names import ignores_case

Response = tuple[int, dict[str, str], bytes]

_ADDRESS_IN_USE: Response = error_response_json(
    "AliasExistsException", "An account with the email already exists.", 400
)


def apply() -> None:
    """Let the engine's user pools verify and move addresses."""
    confirm = cognito._confirm_sign_up

    def confirm_and_move(request: dict[str, Any]) -> Response:
        pool = next(
            (p for p in cognito._user_pools.values() if request.get("ClientId") in p["_clients"]), None
        )
        user = pool["_users"].get(request.get("Username")) if pool else None
        others = (
            _same_address(pool, user) if pool and user and "email" in pool.get("AliasAttributes", ()) else []
        )
        if others and not request.get("ForceAliasCreation"):
            return _ADDRESS_IN_USE
        response: Response = confirm(request)
        if user and response[0] == 200:
            _set_verified(user, "true")
            for other in others:
                _set_verified(other, "false")
        return response

    cognito._confirm_sign_up = confirm_and_move


def _same_address(pool: dict[str, Any], user: dict[str, Any]) -> list[dict[str, Any]]:
    """The other accounts that have this user's address as an alias now."""
    address, fold = _attributes(user).get("email"), str.casefold if ignores_case(pool) else str
    return [
        other
        for other in pool["_users"].values()
        if other is not user
        and fold(_attributes(other).get("email", "")) == fold(address or "")
        and _attributes(other).get("email_verified") == "true"
    ]


def _attributes(user: dict[str, Any]) -> dict[str, str]:
    return {a["Name"]: a["Value"] for a in user["Attributes"]}


def _set_verified(user: dict[str, Any], value: str) -> None:
    others = [a for a in user["Attributes"] if a["Name"] != "email_verified"]
    user["Attributes"] = [*others, {"Name": "email_verified", "Value": value}]
