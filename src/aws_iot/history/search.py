"""Search: what people type, as a query of the index.

deploy failed         both words, anywhere
"deploy failed"       this phrase
deploy*               words that begin so
-test                 not this word
deploy OR release     either; OR binds more tightly than a space
from:alice room:ops   sender and room; also -from:alice
before:T after:T      times, as in `times.py`
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aws_iot.errors import LocalError
from aws_iot.history.file import index
from aws_iot.history.file.rows import places
from aws_iot.history.file.schema import translate_errors
from aws_iot.history.store import Entry, History
from aws_iot.history.times import InvalidTime, parse
from aws_iot.history.tokens import Term, ranges, term


class InvalidSearch(LocalError):
    """The text to search for cannot be understood."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """What a message must have: a term, or a sender (`from`) or room."""

    field: str
    value: str
    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A parsed search: each group of `wanted` has alternatives, of which one must hold, and none of `unwanted`.

    `since` is included, `until` is not.
    """

    wanted: tuple[tuple[Condition, ...], ...]
    unwanted: tuple[Condition, ...]
    since: datetime | None = None
    until: datetime | None = None

    def highlights(self, text: str) -> list[tuple[int, int]]:
        """Where in a visible text the wanted words are: starts and ends, in order."""
        return ranges(text, [one.term for group in self.wanted for one in group if one.term])


_FIELDS = ("from:", "room:", "before:", "after:")

_PART = re.compile(
    r'(?P<minus>-?)(?P<field>(?:from|room|before|after):)?(?:"(?P<phrase>[^"]*)(?P<closing>"?)|(?P<word>[^\s"]+))(?P<star>\*?)|(?P<rest>\S)',
    re.IGNORECASE,
)


def parse_search(text: str, now: datetime) -> Search:
    """Parse what a person typed. Raises `InvalidSearch`."""
    groups: list[list[Condition]] = []
    unwanted: list[Condition] = []
    since = until = None
    expects_alternative = False
    for part in _PART.finditer(text):
        if part[0] == "OR":
            if not groups or expects_alternative:
                raise InvalidSearch("OR stands between two words, such as: deploy OR release")
            expects_alternative = True
            continue
        field = (part["field"] or "").lower().rstrip(":")
        value = _value_of(part)
        if field in ("before", "after"):
            if part["minus"] or expects_alternative:
                raise InvalidSearch(
                    f"{field}: applies to the whole search, so it goes with neither OR nor '-'"
                )
            span = _span(field, value, now)
            if field == "before":
                until = min(until or span[0], span[0])
            else:
                since = max(since or span[1], span[1])
            continue
        condition = _condition(part, field, value)
        if part["minus"]:
            if expects_alternative:
                raise InvalidSearch(f"'{part[0]}' cannot follow OR: use '-' only beside other words")
            unwanted.append(condition)
        elif expects_alternative:
            groups[-1].append(condition)
            expects_alternative = False
        else:
            groups.append([condition])
    if expects_alternative:
        raise InvalidSearch("OR stands between two words, such as: deploy OR release")
    if not (groups or unwanted or since or until):
        raise InvalidSearch("there is nothing to search for")
    return Search(tuple(map(tuple, groups)), tuple(unwanted), since, until)


def _value_of(part: re.Match[str]) -> str:
    if part["rest"] or (part["phrase"] is not None and not part["closing"]):
        raise InvalidSearch('a quotation mark is not closed. Phrases are such as: "deploy failed"')
    value = part["phrase"] if part["phrase"] is not None else part["word"]
    if part["field"] and not value.strip():
        raise InvalidSearch(f"a value is missing after {part['field']}")
    if value.lower() in _FIELDS:
        raise InvalidSearch(f"a value is missing after {value}")
    return value


def _span(field: str, value: str, now: datetime) -> tuple[datetime, datetime]:
    try:
        return parse(value, now)
    except InvalidTime as error:
        raise InvalidSearch(f"{field}: {error}") from None


def _condition(part: re.Match[str], field: str, value: str) -> Condition:
    if field:
        return Condition(field, value)
    is_prefix = bool(part["star"]) or value.endswith("*")
    found = term(value, is_prefix=is_prefix)
    if found is None:
        raise InvalidSearch(f"'{part[0]}' has no letter or digit, and other characters are not searched")
    return Condition("", value, found)


def search(
    history: History,
    wanted: Search,
    count: int,
    *,
    rooms: Sequence[str] = (),
    senders: Sequence[str] = (),
) -> list[Entry]:
    """The last messages that a search finds, oldest first; of these rooms and senders only, if any are given.

    Raises `LocalError` if this Python cannot search.
    """
    database = history.database
    with translate_errors(history.path):
        if not index.is_available(database):
            raise LocalError(
                "searching needs FTS5, which the SQLite of this Python lacks; everything else works"
            )
        if not index.is_current(database):
            return []  # it has no messages yet
    groups = [_any_of(history, group) for group in wanted.wanted]
    if rooms:
        groups.append(_any_of(history, [Condition("room", room) for room in rooms]))
    if senders:
        groups.append(_any_of(history, [Condition("from", who) for who in senders]))
    groups = groups or [_any_of(history, [Condition("room", "#")])]
    if not all(groups):
        return []
    query = " AND ".join(groups)
    if unwanted := _any_of(history, wanted.unwanted):
        query = f"({query}) NOT {unwanted}"
    since, until = places(wanted.since, wanted.until)
    with translate_errors(history.path):
        found = database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? AND rowid >= ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (query, since, until, count),
        ).fetchall()
    return history.at([at for (at,) in reversed(found)])


def in_context(history: History, found: Sequence[Entry], count: int) -> list[list[tuple[Entry, bool]]]:
    """The messages with so many of their rooms before and after each, in blocks that overlap nowhere.

    With each message is whether it is one of `found`. Blocks are in the order of their first message.
    """
    blocks: list[dict[int, tuple[Entry, bool]]] = []
    of_room: dict[str, dict[int, tuple[Entry, bool]]] = {}
    for entry in found:
        before, after = history.around(entry.at, count)
        block = of_room.get(entry.message.room)
        if block is None or not any(one.at in block for one in (*before, entry)):
            block = of_room[entry.message.room] = {}
            blocks.append(block)
        for one in (*before, *after):
            block.setdefault(one.at, (one, False))
        block[entry.at] = (entry, True)
    return [[block[at] for at in sorted(block)] for block in blocks]


def _any_of(history: History, conditions: Sequence[Condition]) -> str:
    """The query of alternatives; empty if nothing can match any of them."""
    found = [query for one in conditions if (query := _query(history, one))]
    return f"({' OR '.join(found)})" if found else ""


def _query(history: History, condition: Condition) -> str:
    if condition.term:
        phrase = " ".join(condition.term.tokens)  # tokens have no quotation marks
        return f'text : "{phrase}"{" *" if condition.term.is_prefix else ""}'
    if condition.field == "room":
        origins = [f"r{number}" for number in history.room_numbers([condition.value])]
    else:
        senders, names = history.sender_numbers(condition.value)
        origins = [f"s{number}" for number in senders] + [f"n{number}" for number in names]
    return f"origin : ({' OR '.join(origins)})" if origins else ""
