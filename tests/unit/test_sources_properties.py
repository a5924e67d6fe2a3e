"""What holds for every parser and any damage: no good row is lost, something is told, nothing is raised, nothing loops.

A file of good rows is damaged in one place; the rows elsewhere must all come back as they were.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_lake.sources import SOURCES, UnknownFormat, recognise
from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.streampai import SOURCE as STREAMPAI
from data_lake.sources.live.twitch_downloader import SOURCE as TWITCH_DOWNLOADER

COUNT = 9
SLOW_SECONDS = 20  # a parser that takes longer on a few kilobytes loops
LIVE = "11111111-aaaa-4bbb-8ccc-000000000001"
TEXTS = [
    'say "hi" \\o/ {"_id":"x","created_at":"y"}',
    "a, b; c",
    "ünï 😀",
    "[[[ }}} ]",
    "two  spaces",
    "'q'",
    "#5",
    "x",
    "",
]

common = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def comment(number: int) -> dict[str, Any]:
    return {
        "_id": f"id-{number}",
        "created_at": f"2025-06-01T18:00:{number:02d}Z",
        "channel_id": "42",
        "content_offset_seconds": number,
        "commenter": {"display_name": "Ann", "_id": str(1000 + number), "name": "ann"},
        "message": {
            "body": TEXTS[number],
            "bits_spent": 0,
            "fragments": [{"text": TEXTS[number], "emoticon": None}],
            "user_badges": [{"_id": "subscriber", "version": "1"}, {"_id": "vip", "version": "1"}],
            "user_notice_params": {},
        },
    }


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "type": "chat_message",
        "data": {"message": TEXTS[number], "username": "Ann", "sender_channel_id": str(1000 + number)},
        "livestream_id": LIVE,
        "user_id": "owner",
        "platform": "twitch",
        "inserted_at": f"2025-06-01T18:00:{number:02d}",
    }


@dataclass(frozen=True)
class Format:
    """A file of COUNT good rows: the bytes of each row, joined and wrapped."""

    source: Any
    rows: list[bytes]
    before: bytes
    between: bytes
    after: bytes

    def file(self, rows: list[bytes]) -> bytes:
        return self.before + self.between.join(rows) + self.after


def _csv_row(values: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue().encode()


def _formats() -> dict[str, Format]:
    head = {
        "FileInfo": {"Version": {"Major": 1, "Minor": 4, "Patch": 0}},
        "streamer": {"name": "A", "login": "a", "id": 42},
    }
    head["video"] = {"id": "7", "created_at": "2025-06-01T18:00:00Z", "length": 3600}
    opened = json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "comments": ['
    tight = (",", ":")
    comments = [json.dumps(comment(n), ensure_ascii=False, separators=tight).encode() for n in range(COUNT)]
    spaced = [json.dumps(comment(n), ensure_ascii=False, indent=2).encode() for n in range(COUNT)]
    events = [json.dumps(event(n), ensure_ascii=False).encode() for n in range(COUNT)]
    cells = [
        [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in event(n).values()]
        for n in range(COUNT)
    ]
    header = ",".join(event(0)).encode() + b"\n"
    tail = b'], "embeddedData": {"firstParty": [{"id": "25", "data": "iVBO"}]}}'
    return {
        "twitch_downloader": Format(TWITCH_DOWNLOADER, comments, opened, b",", tail),
        "twitch_downloader indented": Format(TWITCH_DOWNLOADER, spaced, opened, b",\n  ", tail),
        "streampai jsonl": Format(STREAMPAI, events, b"", b"\n", b"\n"),
        "streampai json": Format(STREAMPAI, events, b"[", b",\n ", b"]"),
        "streampai csv": Format(STREAMPAI, [_csv_row(row) for row in cells], header, b"\n", b"\n"),
    }


FORMATS = _formats()


EVENTS = ("chat_messages", "stream_events", "stream_segments")


def parsed(source: Any, content: bytes) -> tuple[dict[str, dict[str, Any]], int]:
    """Good messages by their id, and how many things were reported, or read as something else than a message."""
    began = time.monotonic()
    good: dict[str, dict[str, Any]] = {}
    reported = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        path.write_bytes(content)
        for part in source.parse(Export(path, source.name, path.name)):
            assert isinstance(part, Problem | Rows)
            if isinstance(part, Problem):
                assert part.reason
                reported += 1
                continue
            assert {ROW, TEXT, PROBLEM} <= set(part.table.column_names)
            for row in part.table.to_pylist():
                if row[PROBLEM] is not None:
                    reported += 1
                elif part.entity == "chat_messages":
                    good[(row["message_id"] or "").removeprefix("streampai:")] = row
                elif part.entity in EVENTS:
                    reported += 1
    assert time.monotonic() - began < SLOW_SECONDS
    return good, reported


def without_place(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != ROW}


WHOLE = {name: parsed(found.source, found.file(found.rows))[0] for name, found in FORMATS.items()}

pieces = st.one_of(
    st.binary(max_size=6),
    st.text('{}[]",:\\\n\r\0 x0', max_size=6).map(str.encode),
    st.sampled_from([b'"', b"}", b"{", b"\xff"]),
)


@pytest.mark.parametrize("name", FORMATS)
def test_every_row_of_a_sound_file_is_read(name: str) -> None:
    assert [row["text"] for row in WHOLE[name].values()] == TEXTS
    assert parsed(FORMATS[name].source, FORMATS[name].file(FORMATS[name].rows))[1] == 0


@pytest.mark.parametrize("name", FORMATS)
@common
@given(data=st.data())
def test_a_row_that_is_damaged_anywhere_costs_no_other_row(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    number = data.draw(st.integers(0, COUNT - 1), label="row")
    row = form.rows[number]
    at = data.draw(st.integers(0, len(row) - 1), label="at")
    cut = data.draw(st.integers(0, min(12, len(row) - at)), label="bytes taken out")
    damaged = row[:at] + data.draw(pieces, label="bytes put in") + row[at + cut :]
    good, reported = parsed(form.source, form.file([*form.rows[:number], damaged, *form.rows[number + 1 :]]))
    for other, expected in WHOLE[name].items():
        if other != f"id-{number}":
            assert other in good, f"row {other} was lost"
            assert without_place(good[other]) == without_place(expected)
    is_there = any(row for key, row in good.items() if key not in WHOLE[name] or key == f"id-{number}")
    assert is_there or reported, "the damaged row vanished without a word"


@pytest.mark.parametrize("name", FORMATS)
@common
@given(data=st.data())
def test_a_file_cut_off_anywhere_keeps_the_rows_before(name: str, data: st.DataObject) -> None:
    form = FORMATS[name]
    content = form.file(form.rows)
    end = data.draw(st.integers(len(form.before), len(content) - len(form.after)), label="end")
    good, reported = parsed(form.source, content[:end])
    whole = content[:end].removeprefix(form.before).split(form.between)
    complete = [n for n, row in enumerate(form.rows) if row in whole]
    assert {f"id-{n}" for n in complete} <= good.keys()
    if whole[-1].strip() and whole[-1] not in form.rows:
        assert reported or len(good) > len(complete), "the row that was cut off vanished without a word"


@pytest.mark.parametrize("name", FORMATS)
@common
@given(share=st.floats(0.05, 0.99))
def test_a_gzip_cut_off_anywhere_is_told_and_keeps_what_was_read(name: str, share: float) -> None:
    form = FORMATS[name]
    packed = gzip.compress(form.file(form.rows))
    good, reported = parsed(form.source, packed[: max(3, int(len(packed) * share))])
    assert reported
    for key, row in list(good.items())[:-1]:  # the last may be cut off where it still is a row
        assert without_place(row) == without_place(WHOLE[name][key])


WRONG: list[Any] = [None, 5, -1e300, True, "x", "", [], {}, [[1]], {"a": {"b": 1}}, "2025-99-99", "NaN", 10**30]


@pytest.mark.parametrize("make", [comment, event])
@common
@given(data=st.data())
def test_a_value_of_another_type_costs_no_other_row(make: Callable[[int], dict[str, Any]], data: st.DataObject) -> None:
    rows = [make(number) for number in range(COUNT)]
    place: Any = rows[4]
    path = data.draw(st.sampled_from(_paths(rows[4])), label="member")
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = data.draw(st.sampled_from(WRONG), label="value")
    name = "twitch_downloader" if make is comment else "streampai json"
    form = FORMATS[name]
    good, reported = parsed(form.source, form.file([json.dumps(row).encode() for row in rows]))
    for other, expected in WHOLE[name].items():
        if other != "id-4":
            assert without_place(good[other]) == without_place(expected)
    assert len(good) == COUNT or reported


def _paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in steps for path in ((*above, key), *_paths(inner, (*above, key)))]


def as_parquet() -> bytearray:
    """Nine events in three row groups."""
    sink = io.BytesIO()
    rows = [{**event(n), "data": json.dumps(event(n)["data"])} for n in range(COUNT)]
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=3)
    return bytearray(sink.getvalue())


@common
@given(data=st.data())
def test_parquet_damaged_anywhere_is_told_or_read(data: st.DataObject) -> None:
    content = as_parquet()
    at = data.draw(st.integers(0, len(content) - 1), label="at")
    content[at : at + 8] = data.draw(st.binary(max_size=8), label="bytes")
    good, reported = parsed(STREAMPAI, bytes(content))
    assert reported or len(good) == COUNT


def test_a_row_group_that_ends_early_without_an_error_is_told() -> None:
    content = as_parquet()
    # Found by the test above: a column of the second group holds no value, and Arrow reads the group as empty.
    content[1719:1727] = (7).to_bytes(8, "little")
    good, reported = parsed(STREAMPAI, bytes(content))
    assert (len(good), reported) == (6, 1)


@common
@given(
    content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode), st.binary().map(gzip.compress))
)
def test_no_content_makes_a_parser_raise(content: bytes) -> None:
    for source in (TWITCH_DOWNLOADER, STREAMPAI):
        parsed(source, content)


@common
@given(content=st.one_of(st.binary(max_size=400), st.text('{}[]",:comentsFilIfrdvy _\n', max_size=300).map(str.encode)))
def test_recognition_gives_a_format_or_one_sentence(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "thing.bin"
        path.write_bytes(content)
        try:
            source, what = recognise(path)
        except UnknownFormat as unknown:
            answer = str(unknown)
        else:
            answer = f"thing.bin: {what}" if what and source.name in SOURCES else ""
        assert "thing.bin" in answer
