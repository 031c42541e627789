"""Patterns of `sub --grep`."""

import pytest

from aws_iot.cli.commands.sub.matching import InvalidPattern, Pattern


@pytest.mark.parametrize(
    ("pattern", "text", "places"),
    [
        ("b", "abcb", [(1, 2), (3, 4)]),
        ("(?i)B", "abc", [(1, 2)]),
        ("^$", "", []),
        ("a*", "baab", [(1, 3)]),
        (r"\bgo\b", "go gone", [(0, 2)]),
        (r"(\w)\1", "hello", [(2, 4)]),
        ("日.", "今日本", [(1, 3)]),
        ("[[a]", "[a", [(0, 1), (1, 2)]),
    ],
)
def test_it_means_what_it_means_in_python(pattern: str, text: str, places: list[tuple[int, int]]) -> None:
    made = Pattern(pattern)
    assert made.matches(text)
    assert [*made.places(text)] == places


def test_other_texts_do_not_match() -> None:
    assert not Pattern(r"\bgo\b").matches("gone")
    assert not Pattern("B").matches("abc")


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|aa)+$", "^(a*)*$", "(a|b|ab)*c", r"^(\w+\s?)*$"])
def test_no_text_can_hold_it_up(pattern: str) -> None:
    hostile = "a" * 100_000 + "!"
    made = Pattern(pattern)
    for _ in range(3):
        assert made.matches(hostile) in (True, False)
        assert all(start < end for start, end in made.places(hostile))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a)b", "unbalanced parenthesis at position 2 of 'a)b'"),
        ("[z-a]", "bad character range z-a at position 2 of '[z-a]'"),
        ("(" * 3000 + ")" * 3000, "it is nested too deeply"),
        (r"\p{nothing}", "at position"),
    ],
)
def test_a_mistake_has_a_place(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        Pattern(pattern)
    assert reason in str(caught.value)
