"""Sidecars: every value that cannot be meant is a sentence about its file, and the other files are read."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from data_lake.documents import DocumentError
from data_lake.ingest import ingest
from data_lake.landing import add, entries, new_files, read_sidecar, sidecar_path
from data_lake.layout import Layout
from data_lake.store import scan
from tests.builders import twitch_chat

WRONG = [
    ("exported_at: 0001-01-01T00:00:00+02:00", "that is no moment in UTC"),
    ("exported_at: 9999-12-31T23:00:00-05:00", "exported_at is "),
    ("exported_at: 2026-02-30", "exported_at is '2026-02-30' (write it as 2026-01-31T12:00:00Z)"),
    ("exported_at: 2026-01-01T25:00:00Z", "exported_at is '2026-01-01T25:00:00Z'"),
    ("exported_at: 1850-01-01", "is outside 2000-01-01 to 2100-01-01"),
    ("exported_at: 2100-01-01", "is outside 2000-01-01 to 2100-01-01"),
    ("exported_at: [2026-01-01]", "exported_at is "),
    ("exported_at: yes", "exported_at is 'yes'"),
    ("exported_at: .nan", "exported_at is '.nan'"),
    ("stream_started_at: soon", "stream_started_at is 'soon'"),
    ("stream_started_at: 2026-01-02\nstream_ended_at: 2026-01-01", "stream_ended_at is not within 30 days after"),
    ("stream_started_at: 2026-01-01\nstream_ended_at: 2026-03-01", "stream_ended_at is not within 30 days after"),
    ("date: 31.01.2026", "date is '31.01.2026'"),
    ("time_zone: Middle/Earth", "time_zone is 'Middle/Earth' (write a name such as Europe/Berlin)"),
    ("time_zone: ../../etc/passwd", "time_zone is "),
    ("encoding: klingon", "encoding is 'klingon' (write one such as utf-8, utf-16 or cp1252)"),
    ("encoding: base64", "encoding is 'base64'"),
    ("channel_id: [1, 2]", "channel_id is ['1', '2'] (write one text)"),
    ("channel_login: {a: b}", "channel_login is {'a': 'b'}"),
    ("currency: dollars", "currency is 'dollars'"),
    ("name: [x]", "name is ['x']"),
    ("- a list", "must hold 'name: value' lines"),
    ("just words", "must hold 'name: value' lines"),
    ("channel_id: &a [*a]", "channel_id is "),
    ("[" * 3000, "is not YAML"),
    ("a: !!python/object/apply:os.system [true]", "is not YAML"),
    ("a: !!int one", "is not YAML"),
    ("\x00", "is not YAML"),
    (b"name: caf\xe9", "is not YAML"),
]


@pytest.mark.parametrize(("content", "sentence"), WRONG)
def test_a_sidecar_that_cannot_be_meant_costs_its_file_and_no_other(
    lake: Layout, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    wrong = add(lake, twitch_chat(tmp_path / "wrong.json", [(1, "anna", "wrong")]))
    add(lake, twitch_chat(tmp_path / "right.json", [(2, "bert", "right")], video="2", first_id=9))
    sidecar_path(wrong.path).write_bytes(content.encode() if isinstance(content, str) else content)
    report = ingest(lake)
    assert scan(lake, "chat_messages").select("text").fetchall() == [("right",)]
    ((file, error),) = report.failed.items()
    assert file == f"twitch_downloader/{wrong.path.name}"
    assert error.startswith(f"{wrong.path.name}.yml")
    assert sentence in error
    sidecar_path(wrong.path).unlink()
    assert [f.name for f in new_files(lake)] == [wrong.path.name]
    assert not ingest(lake).failed


def test_a_sidecar_that_is_a_folder_costs_its_file_and_no_other(lake: Layout, tmp_path: Path) -> None:
    wrong = add(lake, twitch_chat(tmp_path / "wrong.json", [(1, "anna", "wrong")]))
    add(lake, twitch_chat(tmp_path / "right.json", [(2, "bert", "right")], video="2", first_id=9))
    sidecar_path(wrong.path).unlink()
    sidecar_path(wrong.path).mkdir()
    assert "cannot be read (Is a directory)" in next(iter(ingest(lake).failed.values()))
    assert scan(lake, "chat_messages").select("text").fetchall() == [("right",)]


def test_a_sidecar_that_cannot_be_meant_is_refused_with_its_file(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")])
    sidecar_path(file).write_text("stream_started_at: 0001-01-01T00:00:00+02:00\n")
    with pytest.raises(DocumentError, match=r"chat\.json\.yml: stream_started_at is .*correct the sidecar and add"):
        add(lake, file)
    assert not new_files(lake)


def test_values_are_taken_as_they_are_written(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")])
    sidecar_path(file).write_text(
        "channel_id: 0123\nvod_id: 12:30:45\nchannel_login: yes\nstream_title: 1e5\nname: ~\n"
    )
    stated = read_sidecar(sidecar_path(add(lake, file).path))
    assert {name: stated[name] for name in ("channel_id", "vod_id", "channel_login", "stream_title")} == {
        "channel_id": "0123",
        "vod_id": "12:30:45",
        "channel_login": "yes",
        "stream_title": "1e5",
    }
    assert not ingest(lake).failed


def test_a_file_whose_clock_says_what_cannot_be_states_no_time(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")])
    os.utime(file, (0, 0))
    added = add(lake, file)
    assert "exported_at" not in read_sidecar(sidecar_path(added.path))
    ingest(lake)
    (entry,) = entries(lake).values()
    assert (entry.error, entry.bad_rows) == (None, 0)
    assert scan(lake, "chat_messages").select("extracted_at > timestamp '2000-01-01'").fetchall() == [(True,)]


def test_what_a_killed_writer_left_is_swept_and_what_a_live_one_writes_stays(lake: Layout, tmp_path: Path) -> None:
    added = add(lake, twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")]))
    ingest(lake)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (partition,) = lake.raw_entity("chat_messages").glob("event_date=2*/*/part-0.parquet")
    left = [
        added.path.with_name(f".{added.path.name}.{ended.pid}"),
        partition.with_name(f".part-0.parquet.{ended.pid}"),
    ]
    kept = [partition.with_name(f".part-0.parquet.{os.getppid()}"), added.path.with_name(".notes.7")]
    for path in (*left, *kept):
        path.write_text("half")
    ingest(lake)
    assert [path.exists() for path in (*left, *kept)] == [False, False, True, True]
    assert scan(lake, "chat_messages").select("text").fetchall() == [("hello",)]


def test_the_time_of_a_sidecar_is_in_utc(lake: Layout, tmp_path: Path) -> None:
    file = twitch_chat(tmp_path / "chat.json", [(1, "anna", "hello")])
    sidecar_path(file).write_text("exported_at: 2026-03-01T01:00:00+02:00\n")
    added = add(lake, file)
    stated = read_sidecar(sidecar_path(added.path))["exported_at"]
    assert stated.astimezone().timestamp() == datetime.fromisoformat("2026-02-28T23:00:00+00:00").timestamp()
