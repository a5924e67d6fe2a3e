"""What goes wrong in a file, end to end: a message that names file, row and reason; the good rows are kept."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_lake.adding import add_path
from data_lake.ingest import ingest, quarantined
from data_lake.landing import entries
from data_lake.layout import Layout
from data_lake.sources import UnknownFormat
from data_lake.store import scan
from tests.builders import twitch_chat

CHAT = [(1, "anna", "hello"), (2, "bert", "hi"), (3, "carl", "grüße")]
VIEWERS = """-- files: *.csv
select 'twitch' as platform, 'c1' as channel_id, time as observed_at, viewers as viewer_count from {file}
"""
EVENTS = """-- files: *.csv
select 'twitch' as platform, 'c1' as channel_id, time as occurred_at, what as event_type from {file}
"""
STREAMS = """-- files: *.csv
select 'twitch' as platform, id as stream_id, 'c1' as channel_id, start as started_at, start as observed_at,
    seconds as duration_seconds
from {file}
"""
TIME = "2026-01-01 20:0{}:00"

Change = Callable[[bytes], bytes]
DEEP = b"[" * 10_000 + b"]" * 10_000


def read(lake: Layout, path: Path) -> tuple[list[tuple[Any, ...]], str]:
    """Add and ingest; returns what the lake says of bad rows (file, row, reason) and of the file, in one text."""
    for added in add_path(lake, path):
        assert added.is_new
    report = ingest(lake)
    assert report.failed == {}
    bad = [(row["landing_file"].partition("-")[2], row["row"], row["reason"]) for row in quarantined(lake)]
    return bad, " ".join(p["reason"] for entry in entries(lake).values() for p in entry.problems)


def count(lake: Layout, entity: str) -> int:
    return len(scan(lake, entity).fetchall())


def comment(change: Callable[[dict[str, Any]], object]) -> Change:
    """Change the second of three comments."""

    def changed(content: bytes) -> bytes:
        document = json.loads(content)
        change(document["comments"][1])
        return json.dumps(document).encode()

    return changed


DAMAGED_CHATS: dict[str, tuple[Change, int, int | None, str]] = {
    # how the file is damaged, messages kept, the row set aside, its reason
    "a wrong type": (comment(lambda c: c.update(content_offset_seconds="soon")), 2, 2, "content_offset_seconds"),
    "an absurd offset": (comment(lambda c: c.update(content_offset_seconds=1e12)), 2, 2, "48 hours"),
    "broken JSON in mid-file": (lambda b: b.replace(b'"body": "hi"', b'"body": hi"'), 2, 2, "not valid JSON"),
    "10,000-deep nesting": (lambda b: b.replace(b'"user_color": null', b'"user_color": ' + DEEP, 1), 3, None, ""),
    "UTF-16": (lambda b: json.dumps(json.loads(b), ensure_ascii=False).encode("utf-16"), 3, None, ""),
    "Latin-1": (lambda b: json.dumps(json.loads(b), ensure_ascii=False).encode("latin-1"), 3, None, ""),
}


@pytest.mark.parametrize("damage", DAMAGED_CHATS)
def test_a_damaged_chat_costs_the_damaged_row_only(lake: Layout, tmp_path: Path, damage: str) -> None:
    change, kept, row, reason = DAMAGED_CHATS[damage]
    file = twitch_chat(tmp_path / "chat.json", CHAT)
    file.write_bytes(change(file.read_bytes()))
    bad, _ = read(lake, file)
    assert count(lake, "chat_messages") == kept
    assert [(name, at) for name, at, _ in bad] == ([("chat.json", row)] if row else [])
    assert all(reason in reason_given for _, _, reason_given in bad), bad
    if kept == 3:
        assert "grüße" in {text for (text,) in scan(lake, "chat_messages").select("text").fetchall()}


def test_a_truncated_gzip_is_named_and_keeps_what_stands_before(lake: Layout, tmp_path: Path) -> None:
    rows = [f"{TIME.format(n % 10)}.{n:06d},{n}" for n in range(20_000)]
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "viewer_counts.sql").write_text(VIEWERS)
    whole = gzip.compress("\n".join(["time,viewers", *rows]).encode())
    (tmp_path / "house" / "cut.csv").write_bytes(whole[: len(whole) // 2])
    _, message = read(lake, tmp_path / "house")
    assert 0 < count(lake, "viewer_counts") < 20_000
    assert "gzip" in message


TABLES: dict[str, tuple[str, str, str, int, tuple[int, str] | None]] = {
    # mapping, entity, content, rows kept, the row set aside and its reason
    "a negative count": (VIEWERS, "viewer_counts", "time,viewers\nT0,5\nT1,-5\nT2,7\n", 2, (3, "viewer_count")),
    "a word for a number": (VIEWERS, "viewer_counts", "time,viewers\nT0,5\nT1,many\nT2,7\n", 2, (3, "many")),
    "no time": (VIEWERS, "viewer_counts", "time,viewers\nT0,5\n,6\nT2,7\n", 2, (3, "observed_at")),
    "a time of long ago": (VIEWERS, "viewer_counts", "time,viewers\nT0,5\n1970-01-01,6\nT2,7\n", 2, (3, "1970")),
    "an unknown enum": (EVENTS, "stream_events", "time,what\nT0,follow\nT1,moonwalk\n", 2, None),
    "a negative duration": (STREAMS, "streams", "id,start,seconds\na,T0,60\nb,T1,-60\n", 1, (3, "duration_seconds")),
    "an absurd duration": (STREAMS, "streams", "id,start,seconds\na,T0,60\nb,T1,1e12\n", 1, (3, "duration_seconds")),
    "a stream of eight days": (STREAMS, "streams", "id,start,seconds\na,T0,691200\n", 1, None),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_row_of_a_table_is_set_aside_with_its_line(lake: Layout, tmp_path: Path, case: str) -> None:
    mapping, entity, content, kept, bad_row = TABLES[case]
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / f"{entity}.sql").write_text(mapping)
    for n in range(3):
        content = content.replace(f"T{n}", TIME.format(n))
    (folder / "a.csv").write_text(content)
    bad, _ = read(lake, folder)
    assert count(lake, entity) == kept
    assert [(name, row) for name, row, _ in bad] == ([("a.csv", bad_row[0])] if bad_row else [])
    assert all(bad_row and bad_row[1] in reason for _, _, reason in bad), bad


def test_a_renamed_column_is_named_with_what_the_file_has(lake: Layout, tmp_path: Path) -> None:
    (tmp_path / "viewer_counts.sql").write_text(VIEWERS)
    (tmp_path / "good.csv").write_text(f"time,viewers\n{TIME.format(0)},5\n")
    (tmp_path / "renamed.csv").write_text(f"time,viewer_number\n{TIME.format(1)},5\n")
    _, message = read(lake, tmp_path)
    assert count(lake, "viewer_counts") == 1
    assert "viewer_counts.sql" in message
    assert "viewer_number" in message


def test_an_empty_file_is_refused_by_name_and_one_dropped_into_landing_is_told_of(lake: Layout, tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.touch()
    with pytest.raises(UnknownFormat, match=r"empty\.json is empty"):
        list(add_path(lake, empty))
    dropped = lake.landing / "twitch_downloader" / "empty.json"
    dropped.parent.mkdir(parents=True)
    dropped.touch()
    report = ingest(lake)
    assert report.problems == 1
    (entry,) = entries(lake).values()
    assert entry.name == "empty.json"
    assert "there is no list of comments in the file" in entry.problems[0]["reason"]


def test_one_file_under_two_names_counts_once(lake: Layout, tmp_path: Path) -> None:
    chat = twitch_chat(tmp_path / "one.json", CHAT)
    (tmp_path / "two.json").write_bytes(chat.read_bytes())
    dropped = lake.landing / "twitch_downloader" / "three.json"
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(chat.read_bytes())
    (first,) = add_path(lake, chat)
    (second,) = add_path(lake, tmp_path / "two.json")
    assert (first.is_new, second.is_new, second.path) == (True, False, first.path)
    ingest(lake)
    assert count(lake, "chat_messages") == 3
