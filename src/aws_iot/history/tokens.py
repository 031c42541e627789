"""Tokens: how text is cut into words, for the index, for queries and for highlighting alike.

Case and accents do not count. A run of Chinese, Japanese or Korean characters is cut into pairs, and its last character
again alone: 日本語 becomes 日本, 本語 and 語. So every part of a run is found: two characters as a token, more
as a phrase, and one as the beginning of a token.

SQLite's tokenizer `ascii` cuts the prepared text exactly as `tokens` does, in each version of SQLite.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b-\u303c\u3040-\u30ff\u3105-\u312f\u3131-\u318e"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00016fe0-\U00018cff\U0001aff0-\U0001b2ff\U00020000-\U000323af"
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_WORDS = re.compile(r"[^\W_]+")
_RUNS = re.compile(f"[{_CJK}]+|[^{_CJK}]+")
_HAS_CJK = re.compile(f"[{_CJK}]")
_CLUSTERS = re.compile("(?s:.)[\u0300-\u036f\u3099\u309a\uff9e\uff9f\u1160-\u11ff]*")


class Token(NamedTuple):
    """A word, or a pair of CJK characters. `is_rest` is the last character of a CJK run, which is in a pair too."""

    text: str
    start: int
    end: int
    is_rest: bool = False


class Term(NamedTuple):
    """Tokens that must follow one another. If `is_prefix`, the last one may go on."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


def fold(text: str) -> str:
    """The text without case and accents, and with compatible characters made one (ＡＢＣ, ｶﾞ)."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text))).casefold()


def prepare(text: str) -> str:
    """The text to give to SQLite, which then cuts it into `tokens(text)`."""
    if text.isascii():
        return text.replace("\0", " ") if "\0" in text else text
    folded = fold(text)
    if not _HAS_CJK.search(folded):
        return " ".join(_WORDS.findall(folded))
    return " ".join(token.text for token in _cut(folded))


def tokens(folded: str) -> list[Token]:
    """The tokens of a folded text, with their places in it."""
    return _cut(folded)


def term(text: str, *, is_prefix: bool = False) -> Term | None:
    """What to search for to find this word or phrase; None if it has no letter or digit."""
    found = _cut(fold(text))
    if not found:
        return None
    last = found[-1]
    if not last.is_rest:
        return Term(tuple(token.text for token in found), is_prefix)
    pair_covers_it = len(found) > 1 and found[-2].end == last.end
    kept = found[:-1] if pair_covers_it else found
    # Every pair begins with a character, so a single one is the beginning of a token. A pair is never one.
    return Term(tuple(token.text for token in kept), not pair_covers_it)


def ranges(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where in the text the terms occur: starts and ends, in order, without overlaps."""
    folded, places = _fold_with_places(text)
    found = _cut(folded)
    marked = []
    for one in terms:
        for first in range(len(found)):
            if end := _match(found, first, one):
                marked.append((places[found[first].start][0], places[end - 1][1]))
    return _merged(marked)


def _match(found: list[Token], first: int, wanted: Term) -> int | None:
    """The end of the term in the folded text, if it begins at this token."""
    if first + len(wanted.tokens) > len(found):
        return None
    *exact, last = wanted.tokens
    here = found[first : first + len(wanted.tokens)]
    if any(token.text != text for token, text in zip(here, exact, strict=False)):
        return None
    if here[-1].text == last:
        return here[-1].end
    if wanted.is_prefix and here[-1].text.startswith(last):
        return here[-1].start + len(last)
    return None


def _cut(folded: str) -> list[Token]:
    found = []
    for word in _WORDS.finditer(folded):
        if word[0].isascii():
            found.append(Token(word[0], word.start(), word.end()))
            continue
        for run in _RUNS.finditer(word[0]):
            start, end = word.start() + run.start(), word.start() + run.end()
            if not _HAS_CJK.match(run[0]):
                found.append(Token(run[0], start, end))
                continue
            found += [Token(folded[at : at + 2], at, at + 2) for at in range(start, end - 1)]
            found.append(Token(folded[end - 1], end - 1, end, is_rest=True))
    return found


def _fold_with_places(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text and, for each of its characters, the part of `text` that it comes from."""
    if text.isascii():
        return text.lower(), [(at, at + 1) for at in range(len(text))]
    folded, places = [], []
    for cluster in _CLUSTERS.finditer(text):
        part = fold(cluster[0])
        folded.append(part)
        places += [cluster.span()] * len(part)
    return "".join(folded), places


def _merged(marked: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(marked):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
