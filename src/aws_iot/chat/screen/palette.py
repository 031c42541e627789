"""The command palette: every action by its description."""

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from aws_iot.chat.model.keys import ACTIONS, Action


class ActionProvider(Provider):
    """Offers the actions of the table. One that needs an argument puts its command into the input."""

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action in ACTIONS:
            yield DiscoveryHit(_title(action), partial(self.app.call_later, self._run, action), help=None)

    async def search(self, query: str) -> Hits:
        """Those that fit what was typed."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            title = _title(action)
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), partial(self.app.call_later, self._run, action))

    async def _run(self, action: Action) -> None:
        await self.app.run_action(f"choose('{action.name}')")


def _title(action: Action) -> str:
    slash = f" (/{action.slash})" if action.slash else ""
    return f"{action.help[0].upper()}{action.help[1:]}{slash}"
