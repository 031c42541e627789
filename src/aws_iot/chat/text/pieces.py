"""Pieces: a text in lines of so many columns, and the links in them."""

from typing import NamedTuple

from aws_iot.chat.text.people import links
from aws_iot.chat.text.steady import steady, wrap
from aws_iot.text.visible import kept_in_place

MOST_LINES = 200
"""A longer text is cut on the screen."""

LEAST_COLUMNS = 4


class Place(NamedTuple):
    """Where a link is, or the part of it that is in a line."""

    start: int
    end: int
    link: str


class Piece(NamedTuple):
    """A line of a text. A link that goes on in the next line is the whole link in both."""

    text: str
    links: tuple[Place, ...] = ()


def pieces_of(text: str, columns: int) -> list[Piece]:
    """The lines of a text, which is harmless there, but not many more than `MOST_LINES`."""
    found: list[Piece] = []
    for paragraph in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        shown = steady(paragraph)
        places = _places(shown) if "://" in shown else ()
        for start, end in wrap(shown, max(LEAST_COLUMNS, columns)):
            inside = [
                _within(place, start, end) for place in places if place.start < end and place.end > start
            ]
            found.append(Piece(kept_in_place(shown[start:end]), tuple(inside)))
        if len(found) > 10 * MOST_LINES:
            break
    return found


def _places(text: str) -> list[Place]:
    places, at = [], 0
    for link in links(text):
        start = text.index(link, at)
        at = start + len(link)
        places.append(Place(start, at, link))
    return places


def _within(place: Place, start: int, end: int) -> Place:
    return Place(max(place.start, start) - start, min(place.end, end) - start, place.link)
