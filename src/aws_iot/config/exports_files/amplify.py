"""Amplify: find the pools and the endpoint in its files, whatever each generation of it calls them."""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.exports import KEYS, POOLS, FileKey, not_json
from aws_iot.config.exports_files.javascript import Object, Script
from aws_iot.config.partitions import region_of_iot_host
from aws_iot.errors import ProfileError

_USER_POOL, _CLIENT, _IDENTITY_POOL = POOLS
_REGION, _ENDPOINT, _ENDPOINT_REGION = "aws_project_region", "aws_pubsub_endpoint", "aws_pubsub_region"

Layout = dict[str, tuple[str, ...]]
"""For each key of Gen 1, the way to its value within the section of the pools."""

_GEN_1: Layout = {key: (key,) for key in (*POOLS, _REGION, "aws_cognito_region")}
_GEN_2: Layout = {  # docs.amplify.aws/react/reference/amplify_outputs/
    _USER_POOL: ("user_pool_id",),
    _CLIENT: ("user_pool_client_id",),
    _IDENTITY_POOL: ("identity_pool_id",),
    _REGION: ("aws_region",),
}
_CONFIGURE: Layout = {  # the argument of Amplify.configure
    _USER_POOL: ("userPoolId",),
    _CLIENT: ("userPoolWebClientId",),
    _IDENTITY_POOL: ("identityPoolId",),
    _REGION: ("region",),
}
_CONFIGURE_6: Layout = _CONFIGURE | {_CLIENT: ("userPoolClientId",)}  # since version 6, in Auth.Cognito
_FLUTTER: Layout = {  # and Android and iOS: amplifyconfiguration.dart and .json, awsconfiguration.json
    _USER_POOL: ("CognitoUserPool", "Default", "PoolId"),
    _CLIENT: ("CognitoUserPool", "Default", "AppClientId"),
    _IDENTITY_POOL: ("CredentialsProvider", "CognitoIdentity", "Default", "PoolId"),
    _REGION: ("CognitoUserPool", "Default", "Region"),
}
_LAYOUTS = (_GEN_1, _GEN_2, _CONFIGURE, _CONFIGURE_6, _FLUTTER)
_NAMES_OF_POOLS = {layout[key][0] for layout in _LAYOUTS for key in POOLS}

_ONLY_IN_JAVASCRIPT = {"value": re.compile(r"['`/]"), "property": re.compile(r"[\w$'`/]")}
"""Where a reader of JSON stops too early: at other quotes, comments, and names without quotes."""

_IOT_SECTIONS = ("pubsub", "iot", "awsiot", "awsiotprovider", "awsiotcore")
"""Sections whose `endpoint` and `region` are those of AWS IoT Core, in lower case and without marks."""


class FoundExports(NamedTuple):
    """What a file holds, with the keys of Gen 1; and for each of these, what the file calls it."""

    values: dict[str, Any]
    keys: dict[str, FileKey]


class _Section(NamedTuple):
    """One object in a file, how to get there from the outermost one, and the section around it."""

    path: tuple[str, ...]
    object: Object
    outer: "_Section | None" = None

    def find(self, path: tuple[str, ...]) -> tuple[Any, FileKey]:
        """The value at `path`, or None if there is none."""
        found: Any = self.object
        line: int | None = None
        for name in path:
            inside = found if isinstance(found, Object) else Object(0)
            found, line = inside.get(name), inside.lines.get(name)
        if found is None and self.outer:
            line = self.object.line
        return found, FileKey(".".join((*self.path, *path)), line)

    def find_outwards(self, path: tuple[str, ...]) -> tuple[Any, FileKey]:
        """The same, or else in the sections around it."""
        around: _Section | None = self
        while around:
            value, key = around.find(path)
            if value is not None:
                return value, key
            around = around.outer
        return None, self.find(path)[1]

    @property
    def root(self) -> Object:
        return self.outer.root if self.outer else self.object


class _Candidate(NamedTuple):
    """A section that may be that of the pools, in the layout of one generation."""

    section: _Section
    layout: Layout

    @property
    def size(self) -> int:
        """How many of the pools are in it."""
        return sum(1 for key in POOLS if self.section.find(self.layout[key])[0] is not None)

    @property
    def pools(self) -> list[Any]:
        return [self.section.find_outwards(self.layout[key])[0] for key in POOLS]


def find_exports(text: str, source: str) -> FoundExports:
    """The pools, the endpoint and our own keys in the text of a file. `source` names it in errors.

    Raises `ProfileError` if it has no object, a mistake in the syntax of the one with the pools, or several with
    different pools.
    """
    script = Script.parse(text)
    constants = _Section((), script.constants)
    sections = [one for root in script.objects for one in _sections(root)]
    if _has_pools(constants):
        sections.append(constants)
    if not sections:
        raise _syntax_error(text, source, script.fault_line)
    chosen = _choose(sections, source)
    if fault_line := chosen.section.root.fault_line:
        raise _syntax_error(text, source, fault_line)
    found = FoundExports({}, {})
    for key, path in chosen.layout.items():
        _add(found, key, chosen.section.find_outwards(path))
    own = [one for one in sections if one.root is chosen.section.root]
    for key in (key for key in KEYS if key not in POOLS):
        places = [
            chosen.section.find_outwards((key,)),
            *(one.find((key,)) for one in own if key in one.object),
        ]
        _add(found, key, next((at for at in places if at[0] is not None), (None, FileKey(key))))
    if _ENDPOINT not in found.values:
        _add_endpoint(found, own, sections)
    if "\n" not in text.strip():  # a line number tells nothing
        return FoundExports(found.values, {key: FileKey(at.name) for key, at in found.keys.items()})
    return found


def _add(found: FoundExports, key: str, at: tuple[Any, FileKey]) -> None:
    value, found.keys[key] = at
    if value is not None:
        found.values[key] = value


def _sections(root: Object) -> Iterator[_Section]:
    """All objects in this one, each once."""
    waiting, seen = deque([_Section((), root)]), set()
    while waiting:
        section = waiting.popleft()
        if id(section.object) in seen:
            continue
        seen.add(id(section.object))
        yield section
        for name, value in section.object.items():
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, item in items:
                step = name if index is None else f"{name}[{index}]"
                if isinstance(item, Object):
                    waiting.append(_Section((*section.path, step), item, section))


def _choose(sections: list[_Section], source: str) -> _Candidate:
    """The section with the most pools. Of several equal ones, the one that the file exports."""
    possible = (
        [one for one in sections if _has_pools(one)]
        or [one for one in sections if one.root.is_exported][:1]
        or sections[:1]
    )
    candidates = [_Candidate(section, layout) for section in possible for layout in _layouts(section)]
    most = max(one.size for one in candidates)
    best = [one for one in candidates if one.size == most]
    exported = [one for one in best if one.section.root.is_exported]
    chosen = (exported or best)[0]
    others = [one for one in exported or best if most and one.pools != chosen.pools]
    if others:
        lines = sorted({one.section.object.line for one in (chosen, *others)})
        raise ProfileError(
            f"{source}: it holds several backends, in lines {', '.join(map(str, lines))}",
            hint="Save the one that you need in a file of its own.",
        )
    return chosen


def _has_pools(section: _Section) -> bool:
    return not _NAMES_OF_POOLS.isdisjoint(section.object)


def _layouts(section: _Section) -> tuple[Layout, ...]:
    # Only the client's key tells versions 5 and 6 apart. If it is missing, the section's name does.
    is_6 = section.path[-1:] == ("Cognito",)
    return (_CONFIGURE_6, *_LAYOUTS) if is_6 else _LAYOUTS


def _add_endpoint(found: FoundExports, own: list[_Section], sections: list[_Section]) -> None:
    """Add an endpoint that has another name, or is in another object, if there is exactly one."""
    for places, names in ((sections, _explicit), (own, _named), (own, _by_host), (sections, _by_host)):
        endpoints = [at for section in places for at in names(section)]
        if len({value for (value, _), _ in endpoints}) == 1:
            endpoint, region = endpoints[0]
            _add(found, _ENDPOINT, endpoint)
            if region[0] is not None and _ENDPOINT_REGION not in found.values:
                _add(found, _ENDPOINT_REGION, region)
            return


_Found = tuple[tuple[str, FileKey], tuple[Any, FileKey]]
"""An endpoint and its region, with their keys in the file."""


def _explicit(section: _Section) -> Iterator[_Found]:
    if isinstance(value := section.object.get(_ENDPOINT), str):
        yield (value, section.find((_ENDPOINT,))[1]), section.find((_ENDPOINT_REGION,))


def _named(section: _Section) -> Iterator[_Found]:
    name = "".join(filter(str.isalnum, section.path[-1] if section.path else "")).lower()
    if isinstance(value := section.object.get("endpoint"), str) and name in _IOT_SECTIONS:
        yield (value, section.find(("endpoint",))[1]), section.find(("region",))


def _by_host(section: _Section) -> Iterator[_Found]:
    for name, value in section.object.items():
        if isinstance(value, str) and _is_of_iot(value):
            yield (value, section.find((name,))[1]), section.find(("region",))


def _is_of_iot(text: str) -> bool:
    with suppress(ValueError):
        return region_of_iot_host(Endpoint.parse(text).host) is not None
    return False


def _stops_too_early(error: json.JSONDecodeError) -> bool:
    expected = _ONLY_IN_JAVASCRIPT.get(error.msg.split()[1])
    return expected is not None and expected.match(error.doc, error.pos) is not None


def _syntax_error(text: str, source: str, line: int | None) -> ProfileError:
    """`line` has the first mistake."""
    if text.lstrip()[:1] in ("{", "[", ""):
        # The reader of JSON explains a mistake better, unless it stops earlier, at what only JavaScript allows.
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            if line is None or (error.lineno >= line and not _stops_too_early(error)):
                return not_json(error, source)
        except RecursionError:
            return ProfileError(f"{source}: its brackets are nested too deeply")
        else:
            return ProfileError(f"{source}: expected a JSON object, as in aws-exports.json")
    if line:
        return ProfileError(f"{source}: line {line} is not valid JSON or JavaScript")
    return ProfileError(
        f"{source}: it holds no object with pools",
        hint="Give an aws-exports.json, an aws-exports.js, or an amplify_outputs.json.",
    )
