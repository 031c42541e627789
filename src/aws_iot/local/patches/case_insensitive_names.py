"""AWS behavior: a user pool with `CaseSensitive: false` takes BOB for bob, in user names and e-mail addresses.

"User pool case sensitivity" in the Cognito developer guide. An account keeps its name as it was typed first.

ministack 1.5.33 stores the setting and ignores it. This patch replaces the names of users in such pools by a dictionary
that ignores case, and wraps `cognito._resolve_user`, which finds users by their addresses.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import cognito

Response = tuple[int, dict[str, str], bytes]


class UserNames(dict[str, Any]):
    """Users by name, in any case. The key is the name as it was stored first."""

    def _stored(self, name: str) -> str:
        if not isinstance(name, str) or super().__contains__(name):
            return name
        folded = name.casefold()
        return next((one for one in self if one.casefold() == folded), name)

    def __contains__(self, name: Any) -> bool:
        return super().__contains__(self._stored(name))

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(self._stored(name))

    def __setitem__(self, name: str, user: Any) -> None:
        super().__setitem__(self._stored(name), user)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(self._stored(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(self._stored(name), default)


def ignores_case(pool: dict[str, Any]) -> bool:
    """Whether the pool is not case-sensitive. Without the setting, it is."""
    return (pool.get("UsernameConfiguration") or {}).get("CaseSensitive") in (False, "false")


def apply() -> None:
    """Let the engine's user pools ignore case, also those that were restored."""
    dispatch: Callable[[str, dict[str, Any]], Awaitable[Response]] = cognito._dispatch_idp
    resolve = cognito._resolve_user

    async def dispatch_ignoring_case(action: str, request: dict[str, Any]) -> Response:
        for pool in cognito._user_pools.values():
            if ignores_case(pool) and not isinstance(pool["_users"], UserNames):
                pool["_users"] = UserNames(pool["_users"])
        return await dispatch(action, request)

    def resolve_ignoring_case(pool: dict[str, Any], name: str) -> tuple[Any, Any]:
        user, error = resolve(pool, name)
        if user is None and isinstance(name, str) and ignores_case(pool):
            for address in _addresses(pool):
                if address != name and address.casefold() == name.casefold():
                    user, error = resolve(pool, address)
        return user, error

    cognito._dispatch_idp = dispatch_ignoring_case
    cognito._resolve_user = resolve_ignoring_case


def _addresses(pool: dict[str, Any]) -> list[str]:
    attributes = (one for user in pool["_users"].values() for one in user.get("Attributes", ()))
    return [str(one["Value"]) for one in attributes if one["Name"] == "email"]
