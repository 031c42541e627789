"""Searching the history: words in any script, and what a search can say."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.history.search import InvalidSearch, parse_search, search
from aws_iot.history.store import History
from aws_iot.history.tokens import fold, prepare, ranges, term, tokens
from tests.histories import ALICE, BOB, NOW, message, save, texts


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "file"
    said = [
        ("deploy failed", BOB, "ops"),
        ("The deployment of foo_bar has not failed", ALICE, "ops"),
        ("failed: deploy-tool", ALICE, "lobby"),
        ("Café Ångström ﬁne ＡＢＣ", BOB, "lobby"),
        ("日本語の検索、東京都です", BOB, "lobby"),
        ("한국어검색 메시지", BOB, "lobby"),
        ("京都", ALICE, "ops/db"),
        ("release", BOB, "lobby"),
    ]
    save(
        path,
        *(
            message(text, str(number), sender=sender, room=room, at=number)
            for number, (text, sender, room) in enumerate(said)
        ),
    )
    return path


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("deploy", [0, 2]),
        ("DEPLOY failed", [0, 2]),
        ('"deploy failed"', [0]),
        ('"failed deploy"', [2]),
        ("deploy-tool", [2]),
        ("foo_bar", [1]),
        ("deploy*", [0, 1, 2]),
        ('"deploy fai"*', [0]),
        ("failed -not", [0, 2]),
        ('failed -"deploy failed"', [1, 2]),
        ("release OR foo", [1, 7]),
        ("failed deploy OR foo", [0, 1, 2]),
        ("or", []),
        ("from:alice failed", [1, 2]),
        ("-from:alice failed", [0]),
        ("from:4f9f failed", [1, 2]),
        ("from:nobody failed", []),
        ("-from:nobody deploy", [0, 2]),
        ("room:ops failed", [0, 1]),
        ("room:ops/#", [0, 1, 6]),
        ("-room:ops -room:ops/db", [2, 3, 4, 5, 7]),
        ('Room:"ops" FROM:bob', [0]),
        ("cafe angstrom", [3]),
        ("CAFÉ", [3]),
        ("fine abc", [3]),
        ("日本", [4]),
        ("検索", [4]),
        ("本語の", [4]),
        ("京", [4, 6]),
        ("京都", [4, 6]),
        ("東京都", [4]),
        ("都", [4, 6]),
        ("で", [4]),
        ("す", [4]),
        ("日京", []),
        ("日本 東京", [4]),
        ('"日本語の検索 東京"', [4]),
        ("검색", [5]),
        ("메시지", [5]),
        ("before:2026-01-31T12:00:02Z", [0, 1]),
        ("after:2026-01-31T12:00:06Z", [6, 7]),
        ("failed after:2026-01-31T12:00:01Z before:2026-01-31T12:00:02Z", [1]),
    ],
)
def test_a_search_finds(path: Path, wanted: str, found: list[int]) -> None:
    with History(path) as history:
        assert [int(entry.id) for entry in search(history, parse_search(wanted, NOW), 100)] == found


def test_a_search_can_be_limited_from_outside(path: Path) -> None:
    with History(path) as history:
        failed = parse_search("failed", NOW)
        assert texts(search(history, failed, 1)) == ["failed: deploy-tool"]
        assert [e.id for e in search(history, failed, 9, rooms=["ops"], senders=["bob"])] == ["0"]
        assert [e.id for e in search(history, failed, 9, rooms=["ops", "lobby"], senders=["alice"])] == [
            "1",
            "2",
        ]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("", "nothing to search"),
        ("  ", "nothing to search"),
        ('"deploy', "quotation mark is not closed"),
        ('deploy "', "quotation mark is not closed"),
        ("OR deploy", "OR stands between"),
        ("deploy OR", "OR stands between"),
        ("deploy OR OR release", "OR stands between"),
        ("deploy OR -release", "cannot follow OR"),
        ("👍", "no letter or digit"),
        ("- -", "no letter or digit"),
        ("from:", "missing after from:"),
        ('room:" "', "missing after room:"),
        ("before:soon", "before: 'soon' is not a time"),
        ("-after:2h x", "goes with neither OR nor '-'"),
        ("x OR after:2h", "goes with neither OR nor '-'"),
    ],
)
def test_an_error_says_what_is_wrong_with_a_search(wanted: str, why: str) -> None:
    with pytest.raises(InvalidSearch) as raised:
        parse_search(wanted, NOW)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("wanted", "text", "marked"),
    [
        ("cafe", "Un CAFÉ!", ["CAFÉ"]),
        ("cafe", "Un CAFE\u0301!", ["CAFE\u0301"]),
        ("dep*", "a deployment", ["dep"]),
        ("strasse", "Straße", ["Straße"]),
        ("fine", "ﬁne", ["ﬁne"]),
        ("東京都", "東京都庁と東京", ["東京都"]),
        ("京", "東京都", ["京"]),
        ("ガス", "ｶﾞｽ", ["ｶﾞｽ"]),
        ('"deploy failed" ok -no', "deploy: failed. ok no deploy", ["deploy: failed", "ok"]),
        ("한국", "한국어검색", ["한국"]),
    ],
)
def test_matches_are_marked_in_the_text_as_it_was_written(wanted: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in parse_search(wanted, NOW).highlights(text)] == marked


anything = st.text() | st.text("aé日本ガｶﾞ한𠮷 ①_ßﬁİ-", max_size=12)


@given(anything)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_sqlite_cuts_a_prepared_text_as_we_do(text: str) -> None:
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'ascii')")
    database.execute("CREATE VIRTUAL TABLE instances USING fts5vocab(words, instance)")
    database.execute("INSERT INTO words VALUES (?)", (prepare(text).encode(errors="replace").decode(),))
    found = [one for (one,) in database.execute("SELECT term FROM instances ORDER BY offset")]
    database.close()
    assert found == [token.text for token in tokens(fold(text))]


@given(st.text("aé日本ガｶﾞ한𠮷 ①ßﬁ-", max_size=12), st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_every_part_of_a_cjk_run_is_found_and_marked(text: str, data: st.DataObject) -> None:
    runs = "".join(one if one in "日本한" else " " for one in text).split()
    if runs:
        run = data.draw(st.sampled_from(runs))
        start = data.draw(st.integers(0, len(run) - 1))
        part = run[start : data.draw(st.integers(start + 1, len(run)))]
        wanted = term(part)
        assert wanted
        assert any(part in text[start:end] for start, end in ranges(text, [wanted]))


def test_highlights_do_not_overlap() -> None:
    assert parse_search("日本 本語 語の", NOW).highlights("日本語の、日本") == [(0, 4), (5, 7)]
