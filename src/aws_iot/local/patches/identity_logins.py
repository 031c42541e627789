"""AWS behavior: an identity pool gives identities and keys only to whom it was configured for.

Without `Logins`, it refuses everyone, unless it allows unauthenticated access. It has no keys for an identity that it
does not know, or if no role is set for the kind of identity. The messages are those of public bug reports about AWS.

ministack 1.5.33 checks only the logins that it gets. This patch wraps `cognito._get_id`,
`cognito._get_credentials_for_identity` and `cognito._get_open_id_token`.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]
Request = dict[str, Any]
Call = Callable[[Request], Response]

CALLS_WITH_IDENTITY = ("_get_credentials_for_identity", "_get_open_id_token")


def apply() -> None:
    """Let the engine's identity pools check who asks."""
    cognito._get_id = _checked(cognito._get_id, _refusal_of_identity)
    for name in CALLS_WITH_IDENTITY:
        setattr(cognito, name, _checked(getattr(cognito, name), _refusal_of_keys))


def _checked(call: Call, refusal: Callable[[Request], Response | None]) -> Call:
    return lambda request: refusal(request) or call(request)


def _refusal_of_identity(request: Request) -> Response | None:
    pool = cognito._identity_pools.get(request.get("IdentityPoolId"))
    return (
        _refusal_without_logins(pool, request) if pool else None
    )  # the engine reports a pool that does not exist


def _refusal_of_keys(request: Request) -> Response | None:
    identity = request.get("IdentityId")
    pool = next((p for p in cognito._identity_pools.values() if identity in p["_identities"]), None)
    if pool is None:
        return _refused("ResourceNotFoundException", f"Identity '{identity}' not found.")
    if refusal := _refusal_without_logins(pool, request):
        return refusal
    kind = "authenticated" if request.get("Logins") else "unauthenticated"
    if not pool.get("_roles", {}).get(kind):
        return _refused(
            "InvalidIdentityPoolConfigurationException",
            "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
        )
    return None


def _refusal_without_logins(pool: dict[str, Any], request: Request) -> Response | None:
    allows = str(pool.get("AllowUnauthenticatedIdentities")).lower() == "true"  # CloudFormation may pass text
    if request.get("Logins") or allows:
        return None
    return _refused(
        "NotAuthorizedException", "Unauthenticated access is not supported for this identity pool."
    )


def _refused(error: str, message: str) -> Response:
    response: Response = error_response_json(error, message, 400)
    return response
