"""Labels: names and rooms cannot imitate what is around them, whatever characters they have."""

import ast
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.text.labels import LABEL_COLUMNS, label
from aws_iot.text.width import display_width

LOOKS_LIKE = {
    "~": "\u223c\u02dc\u1fc0\u2053\u301c\uff5e\u223d\u0334\u0303",
    ":": "\ua789\u02d0\u0589\u05c3\u0703\u16ec\u1803\u205a\u2236\ufe13\ufe30\ufe55\uff1a\ua4fd\u0903\u02f8",
    "[]": "\uff3b\uff3d\u2772\u2773\u3014\u3015\u27e6\u27e7\u2045\u23a1\u23a4\ufe5d\u2e22\u298b",
    '"': "\u201c\u201d\u201f\u2033\uff02\u02ba\u02ee\u275d\u3003\u05f4",
    "a blank": "\u00a0\u1680\u2000\u2003\u2007\u202f\u205f\u3000\u2800\u3164\uffa0\u115f\u1160\U0001d173",
    "nothing": "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u2060\u2061\u2064\ufeff\ufe0e\ufe0f\u17b4",
    "an ellipsis": "\u2026\u22ef\ufe19",
    "nothing, but hides a text": "\U000e0001\U000e0041\U000e007f\U000e0100",
    "another letter": "\uff41\U0001d41a\u24d0\u2090\ua4ee\u13aa",
    "a border": "\u2502\u2503\uff5c\u00a6\u2016",
    "a character of a newer Unicode": "\u0378\ue000\U000f0000\U0010ffff\ufdd0",
}


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "alice@example.com",
        "ops/berlin-7",
        "Grüße",
        "日本・東京",
        "комната",
        "Ελλάδα",
        "ไทย",
        "한국",
        "שלום",
        "علی\u200cرضا",
        "اتاق۱",
        "दुःख",
        "क्\u200dष",
        "e\u0301",
        "☕",
        "❤\ufe0f",
        "👍🏽",
        "👩\u200d💻",
        "👩\u200d❤\ufe0f\u200d👨",
    ],
)
def test_letters_digits_and_emoji_are_shown_as_they_are(text: str) -> None:
    assert label(text) == text


@pytest.mark.parametrize("text", ["two words", "[dev]", "ops:berlin", "", " "])
def test_what_belongs_to_the_frame_is_quoted(text: str) -> None:
    assert label(text) == f'"{text}"'


@pytest.mark.parametrize("character", sorted(set("".join(LOOKS_LIKE.values()))), ids=ascii)
def test_what_looks_like_the_frame_or_like_nothing_is_an_escape(character: str) -> None:
    shown = label(f"Bob{character}2")
    if character in "\u0334\u0303":  # on a letter, these marks are no ~
        assert shown == f"Bob{character}2"
        shown = label(f"{character}2")
    assert shown.isascii()
    assert shown.startswith('"')


@pytest.mark.parametrize(
    "text",
    [
        "\u0301a",
        "a \u0301",
        "a\u0361",
        "a\u20dd",
        "bob\u0903",
        "\u200da",
        "a\u200db",
        "1\ufe0f\u20e3",
        "\u2800\ufe0f",
    ],
)
def test_marks_and_joiners_stay_with_the_letters_that_they_are_for(text: str) -> None:
    assert label(text).isascii()


def test_few_marks_are_put_on_one_letter() -> None:
    assert label("a" + "\u0301" * 6) == '"a' + "\u0301" * 4 + r'\u0301\u0301"'


@pytest.mark.parametrize(
    "one", ["x", "日", "🎉", "~", " ", "\u0301", "\u202e", '"', "a\u0301", "\U000e0041", "\\"]
)
@pytest.mark.parametrize("columns", [8, 20, LABEL_COLUMNS])
def test_a_long_label_is_shortened_with_an_ellipsis(one: str, columns: int) -> None:
    shown = label(one * 3000, columns)
    assert columns - 12 < display_width(shown) <= columns
    assert shown.rstrip('"').endswith("…")
    whole = shown.removeprefix('"').removesuffix('"').removesuffix("…")
    assert (one * 3000).startswith(ast.literal_eval(f'"{whole}"'))  # no escape is cut


def test_a_label_of_exactly_the_length_is_whole() -> None:
    assert label("x" * LABEL_COLUMNS) == "x" * LABEL_COLUMNS
    assert label("x" * (LABEL_COLUMNS + 1)) == "x" * (LABEL_COLUMNS - 1) + "…"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters() | st.sampled_from('~[]: "\\' + "".join(LOOKS_LIKE.values()))))
def test_no_label_has_an_unescaped_tilde_or_ends_its_quotes(text: str) -> None:
    shown = label(text, 10_000)
    assert "~" not in shown
    assert not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp", "Zs")
        for character in shown.replace(" ", "")
    )
    if shown.startswith('"'):
        assert ast.literal_eval(shown) == text  # so the quotes end where the text does
    else:
        assert shown == text
        assert not set(text) & set('[]: "\\')
