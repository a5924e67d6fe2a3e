"""Parts of strings by their places: what is cut and compared for a whole column is what slices of each row give."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data_lake.sources.reading.clocks import seconds_of_hour
from data_lake.sources.reading.spans import holding, next_of, octets_of, stands, texts, words

ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


def octets(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


@given(text=ascii_texts, data=st.data())
def test_texts_are_the_slices_of_the_buffer(text: str, data: st.DataObject) -> None:
    places = st.integers(0, len(text))
    spans = [sorted(pair) for pair in data.draw(st.lists(st.tuples(places, places), max_size=8))]
    starts, ends = (np.array([span[at] for span in spans], dtype=np.int64) for at in (0, 1))
    assert texts(text.encode(), starts, ends).to_pylist() == [text[start:end] for start, end in spans]


@given(text=ascii_texts)
def test_words_are_the_next_eight_bytes_and_zero_behind_the_end(text: str) -> None:
    at = np.arange(len(text) + 10)
    expected = [int.from_bytes(text.encode()[place : place + 8], "little") for place in at.tolist()]
    assert words(octets(text.encode()), at).tolist() == expected


@given(text=ascii_texts, literal=st.text("ab", min_size=1, max_size=20), place=st.integers(0, 40))
def test_a_literal_stands_where_the_text_goes_on_with_it(text: str, literal: str, place: int) -> None:
    text = text[:place] + literal + text[place:]
    at = np.arange(len(text) + 1)
    expected = [text.startswith(literal, start) for start in at.tolist()]
    assert stands(octets(text.encode()), at, literal.encode()).tolist() == expected


@given(rows=st.lists(st.one_of(st.none(), st.text("abc", max_size=5)), max_size=8))
def test_rows_that_hold_a_needle_are_among_the_found(rows: list[str | None]) -> None:
    data, starts, ends = octets_of(pa.array(rows, pa.string()))
    found = set(holding(data, starts, (b"ab", b"c")).tolist())
    assert {at for at, row in enumerate(rows) if row and ("ab" in row or "c" in row)} <= found
    assert [row or "" for row in rows] == [bytes(data[a:b]).decode() for a, b in zip(starts, ends, strict=True)]


def test_the_next_place_is_at_or_behind_and_beyond_all_where_there_is_none() -> None:
    found = next_of(np.array([3, 7]), np.array([0, 3, 4, 8]))
    assert found[:3].tolist() == [3, 3, 7]
    assert found[3] > 10**18


def test_a_clock_counts_only_with_minutes_and_seconds_under_sixty() -> None:
    clocks = [
        ":00:00] ",
        ":59:59] ",
        ":60:00] ",
        ":00:60] ",
        ":0x:00] ",
        ":00;00] ",
        ":00:00]x",
        ":/0:00] ",
        ":0\xff:00] ",
    ]
    data = "".join(clocks).encode("latin-1")
    seconds, fits = seconds_of_hour(octets(data), np.arange(len(clocks)) * 8)
    assert fits.tolist() == [True, True] + [False] * 7
    assert seconds[:2].tolist() == [0, 3599]
