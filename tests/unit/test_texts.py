"""Texts as they are compared: spellings a reader takes for one text are equal, other texts are not."""

from __future__ import annotations

from datetime import datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_lake.texts import add_text_functions, folded, text_key, visible_length
from ml.questions.topics.dataset import words

# From Unicode's DerivedCoreProperties.txt, one of each range; clients append the first three to send a text twice.
INVISIBLE = "\U000e0000\u034f\u200b\u00ad\u061c\u17b4\u180b\u202e\u2060\ufe0f\ufeff\ufff0\U0001bca0\U0001d173\U000e0fff"
BLANKS = " \u00a0\u2003\u202f\u3000\u115f\u1160\u2800\u3164\uffa0\t"


@pytest.mark.parametrize("character", INVISIBLE)
@given(text=st.text())
def test_an_invisible_character_makes_no_other_text(character: str, text: str) -> None:
    assert text_key(f"{text} go team {character}") == text_key(f"{text} go team")
    assert text_key(f"go{character} te{character}am") == "goteam"
    assert folded(f"go{character} te{character}am") == "go team"


@pytest.mark.parametrize("blank", BLANKS)
def test_every_blank_is_one_blank(blank: str) -> None:
    assert folded(f"{blank}go{blank}{blank}team{blank}") == "go team"


@pytest.mark.parametrize(
    "spelling", ["Go Team", "ＧＯ ｔｅａｍ", "𝓖𝓸 𝕥𝕖𝕒𝕞", "gooo teeeeam", "go GO team", "goteam", "go team go team"]
)
def test_width_fonts_case_and_repetitions_make_no_other_text(spelling: str) -> None:
    assert text_key(spelling) == "goteam"


def test_a_word_repeated_any_number_of_times_is_one_text() -> None:
    assert {text_key(" ".join(["LUL"] * n)) for n in range(1, 50)} == {"lul"}
    assert {text_key("l" + "o" * n + "l") for n in range(1, 50)} == {"lol"}
    assert {text_key(" ".join(["so good"] * n)) for n in range(1, 50)} == {"sogod"}


def test_other_texts_stay_others() -> None:
    texts = ["100 points", "10 points", "1 point", "go team", "go teams", "team go", "go team go", "né", "ne", "?", "!"]
    assert len({text_key(text) for text in texts}) == len(texts)


@given(st.text())
def test_folding_twice_changes_nothing_and_what_is_invisible_has_no_length(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert visible_length(text + INVISIBLE + BLANKS) == visible_length(text) <= len(text)
    assert visible_length(INVISIBLE + BLANKS) == 0


def test_sql_folds_as_python_does_and_knows_nothing_of_null() -> None:
    with duckdb.connect() as connection:
        add_text_functions(connection)
        row = connection.execute(
            "select fold_text('Nice  ONE'), text_key('Nice  ONE'), visible_length('Nice  ONE')"
        ).fetchone()
        assert row == ("nice one", "niceone", 7)
        assert (
            connection.execute("select fold_text(null), text_key(null), visible_length(null)").fetchone() == (None,) * 3
        )


def test_topics_count_spellings_of_a_word_as_the_word_and_a_repeated_word_once() -> None:
    texts = [
        "garden",
        "GARDEN \U000e0000",
        "ｇａｒｄｅｎ",
        "gaaaarden",
        "garden garden garden",
        "gar\u034fden",
        "gardens",
    ]
    chat = pl.DataFrame(
        {
            "creator_id": ["c"] * len(texts),
            "broadcast_id": ["b"] * len(texts),
            "minute_at": [datetime(2026, 1, 1)] * len(texts),
            "platform": ["twitch"] * len(texts),
            "viewer_id": [str(n) for n in range(len(texts))],
            "login": [f"u{n}" for n in range(len(texts))],
            "text": texts,
            "emote_names": [[] for _ in texts],
        },
        schema_overrides={"emote_names": pl.List(pl.String)},
    )
    assert words(chat)["word"].to_list() == ["garden"] * 6
