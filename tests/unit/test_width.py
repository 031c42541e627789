"""How many columns a text takes, at the most: a terminal that needs more would continue lines by itself."""

import pytest

from aws_iot.text.width import display_width, shortened


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("hello", 5),
        ("Grüße", 5),
        ("комната", 7),
        ("日本語", 6),
        ("한국", 4),
        ("e\u0301", 1),
        ("ไทย", 3),
        ("☕", 2),
        ("\u3000", 2),
        ("\u2800", 2),  # newer versions of Unicode, and terminals, make more symbols wide
        ("☰", 2),
        ("❤\ufe0f", 3),  # some terminals show it as an emoji
        ("👩\u200d💻", 5),  # some do not join them
        ("🇩🇪", 4),
        ("\u200b\u00ad", 2),  # some show them
        ("\u0378\ue000", 4),  # unknown, and of private use
        ("\U00010a01", 1),  # a mark that old terminals do not know
    ],
)
def test_the_width_is_the_most_that_a_terminal_needs(text: str, columns: int) -> None:
    assert display_width(text) == columns


def test_a_shortened_text_fits() -> None:
    assert shortened("hello", 5) == "hello"
    assert shortened("hello!", 5) == "hell…"
    assert shortened("日本語", 5) == "日本…"
    assert shortened("日本語", 4) == "日…"
