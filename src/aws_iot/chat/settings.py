"""ChatSettings: what a person sets for all chats, in `chat.json` in the folder of their settings.

{
  "keys": {"next-room": ["ctrl+n"], "quit": ["ctrl+d"]},
  "keywords": ["deploy"],
  "bell": true,
  "desktop": "osc9",
  "presence": "off"
}
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from aws_iot.chat.entry.keys import BY_NAME, chosen_key, why_not
from aws_iot.chat.model.presence import MODES, ON
from aws_iot.errors import LocalError
from aws_iot.files import read

DESKTOP = ("off", "osc9", "osc777", "osc99", "system")
"""How desktop notifications are shown: by a sequence that the terminal knows, or by a program of the system."""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The settings. `keys` has the keys of actions that have others than the usual ones."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keywords: tuple[str, ...] = ()
    bell: bool = True
    desktop: str = "off"
    plain: bool = False
    presence: str = ON


def load(path: Path) -> ChatSettings:
    """The settings of a file, which may not exist. Raises `LocalError` if something in it is wrong."""
    data = read(path)
    if not data:
        return ChatSettings()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LocalError(f"{path}: this is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise LocalError(f"{path}: the settings must be a JSON object")
    known = ChatSettings.__dataclass_fields__
    for name in found:
        _check_known(path, name, known, "setting")
    values: dict[str, Any] = dict(found)
    for name in ("bell", "plain"):
        if not isinstance(values.get(name, True), bool):
            raise LocalError(f"{path}: '{name}' must be true or false")
    if values.get("desktop", "off") not in DESKTOP:
        raise LocalError(f"{path}: 'desktop' must be one of {', '.join(DESKTOP)}")
    if values.get("presence", ON) not in MODES:
        raise LocalError(f"{path}: 'presence' must be one of {', '.join(MODES)}")
    if "keywords" in values:
        values["keywords"] = _texts(path, "keywords", values["keywords"])
    if "keys" in values:
        values["keys"] = _keys(path, values["keys"])
    return ChatSettings(**values)


def _keys(path: Path, value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise LocalError(f'{path}: \'keys\' must be an object, such as {{"next-room": ["ctrl+n"]}}')
    for name in value:
        _check_known(path, name, BY_NAME, "action")
    texts = {name: _texts(path, f"keys.{name}", keys) for name, keys in value.items()}
    chosen = {name: tuple(map(chosen_key, keys)) for name, keys in texts.items()}
    meanings: dict[str, str] = {}
    for name, keys in chosen.items():
        for key in keys:
            if problem := why_not(key):
                raise LocalError(f"{path}: '{key}', for '{name}', {problem}")
            if (other := meanings.setdefault(key, name)) != name:
                raise LocalError(f"{path}: '{key}' is the key of both '{other}' and '{name}'")
    return chosen


def _texts(path: Path, name: str, value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not (isinstance(texts, list) and all(isinstance(one, str) and one for one in texts)):
        raise LocalError(f"{path}: '{name}' must be a list of texts")
    return tuple(texts)


def _check_known(path: Path, name: str, known: Mapping[str, object], what: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f"; did you mean '{near[0]}'?" if near else f": use {', '.join(known)}"
        raise LocalError(f"{path}: there is no {what} '{name}'{meant}")
