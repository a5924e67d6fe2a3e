"""Versions: switched over in one step, unchanged days shared, an earlier one a command away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from data_lake.documents import DocumentError
from data_lake.files import replace_file
from data_lake.layout import Layout
from data_lake.planning import TESTS, Audit, Plan, await_publication, begin_build, end_build
from data_lake.publish import (
    PublishError,
    Table,
    Version,
    current_version,
    publish,
    repair,
    rollback,
    versions,
)
from data_lake.sql import connect
from data_lake.views import moved_from, open_version

MESSAGES = Table("messages", "main.messages", "One row per message.", {"event_date": "UTC day.", "n": "A count."}, True)
STREAMS = Table("streams", "main.streams", "One row per stream.", {"name": "Its name."})
START = datetime(2026, 1, 1, tzinfo=UTC)


def build(
    lake: Layout,
    rows: dict[str, int],
    days: tuple[tuple[date, date], ...] | None = None,
    models: tuple[str, ...] = ("messages", "streams"),
    stream: str = "a",
) -> None:
    todo = Plan(date(2026, 1, 3), days, (), (), "models", "a test")
    begin_build(lake, todo, [Audit(model, TESTS) for model in models])
    with connect(lake, str(lake.warehouse)) as connection:
        connection.execute("create or replace table messages (event_date date, n integer)")
        for day, n in rows.items():
            connection.execute("insert into messages values (?, ?)", [day, n])
        connection.execute(f"create or replace table streams as select '{stream}' as name")
    end_build(lake, todo)


def release(lake: Layout, hours: int = 0) -> Version:
    moment = START + timedelta(hours=hours)
    return publish(lake, [MESSAGES, STREAMS], as_of=date(2026, 1, 3), run_id="run", created_at=moment)


def analytics(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "analytics.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_published_table_can_be_queried_and_says_what_it_is(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1, "2026-01-02": 2})
    version = release(lake)
    assert version.rows == {"messages": 2, "streams": 1}
    assert analytics(lake.current, "select sum(n) from messages") == [(3,)]
    comments = "select comment from duckdb_views() where view_name = 'messages'"
    assert analytics(lake.current, comments) == [("One row per message.",)]
    columns = "select column_name, comment from duckdb_columns() where table_name = 'messages' order by 1"
    assert analytics(lake.current, columns) == [("event_date", "UTC day."), ("n", "A count.")]
    assert pl.read_parquet(lake.current / "messages").get_column("n").sum() == 3


def test_unchanged_days_share_their_files_with_the_version_before(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1, "2026-01-02": 2})
    first = release(lake)
    build(lake, {"2026-01-01": 1, "2026-01-02": 5}, ((date(2026, 1, 2), date(2026, 1, 2)),))
    second = release(lake)

    def inode(version: Version, day: str) -> int:
        (file,) = (lake.published_version(version.number) / "messages" / f"event_date={day}").iterdir()
        return file.stat().st_ino

    assert inode(first, "2026-01-01") == inode(second, "2026-01-01")
    assert inode(first, "2026-01-02") != inode(second, "2026-01-02")
    assert analytics(lake.current, "select sum(n) from messages") == [(6,)]
    assert analytics(lake.published_version(first.number), "select sum(n) from messages") == [(3,)]


def test_a_table_that_was_not_built_since_shares_its_file_with_the_version_before(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    first = release(lake)
    none: tuple[tuple[date, date], ...] = ()
    build(lake, {"2026-01-01": 1}, none, models=("messages",))
    second = release(lake)
    build(lake, {"2026-01-01": 1}, none, models=("streams",), stream="b")
    third = release(lake)
    files = [lake.published_version(version.number) / "streams.parquet" for version in (first, second, third)]
    assert files[0].samefile(files[1])
    assert not files[1].samefile(files[2])
    assert [pl.read_parquet(file).item() for file in files] == ["a", "a", "b"]


def test_a_table_built_beside_a_plan_is_written_anew(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    with connect(lake, str(lake.warehouse)) as connection:
        connection.execute("create or replace table streams as select 'b' as name")
    await_publication(lake, ["streams"])
    release(lake)
    assert analytics(lake.current, "from streams") == [("b",)]


def test_a_day_that_became_empty_leaves_the_published_table(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1, "2026-01-02": 2})
    release(lake)
    build(lake, {"2026-01-01": 1}, ((date(2026, 1, 2), date(2026, 1, 2)),))
    release(lake)
    assert analytics(lake.current, "select event_date::varchar from messages") == [("2026-01-01",)]


def test_days_built_by_a_run_that_never_published_are_published_by_the_next(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1, "2026-01-02": 2})
    release(lake)
    build(lake, {"2026-01-01": 9, "2026-01-02": 2}, ((date(2026, 1, 1), date(2026, 1, 1)),))
    build(lake, {"2026-01-01": 9, "2026-01-02": 8}, ((date(2026, 1, 2), date(2026, 1, 2)),))
    release(lake)
    assert analytics(lake.current, "select n from messages order by event_date") == [(9,), (8,)]


def test_an_empty_fact_is_published_as_an_empty_table(lake: Layout) -> None:
    build(lake, {})
    release(lake)
    assert analytics(lake.current, "select count(*) from messages") == [(0,)]


def test_an_open_reader_neither_blocks_a_publish_nor_sees_it(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    with duckdb.connect(str(lake.current / "analytics.duckdb"), read_only=True) as reader:
        build(lake, {"2026-01-01": 7})
        release(lake)
        assert reader.execute("select n from messages").fetchall() == [(1,)]
    assert analytics(lake.current, "select n from messages") == [(7,)]


def writable(lake: Layout) -> list[Path]:
    return [path for path in lake.published.rglob("*") if path.is_file() and path.stat().st_mode & 0o222]


def test_what_is_published_is_read_only_and_versions_go_as_before(lake: Layout) -> None:
    for hours in range(0, 300, 30):
        build(lake, {"2026-01-01": 1, "2026-01-02": hours}, ((date(2026, 1, 2), date(2026, 1, 2)),))
        release(lake, hours)
        assert writable(lake) == []
    assert [v.number for v in versions(lake)] == [6, 7, 8, 9, 10]
    rollback(lake)
    repair(lake)
    assert writable(lake) == []
    assert analytics(lake.current, "select sum(n) from messages") == [(241,)]


def test_a_client_that_opened_what_is_published_to_write_changes_nothing_we_read(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    shown = lake.current.resolve()
    (shown / "analytics.duckdb").chmod(0o644)  # as it is for root, whom no mode stops
    holder = """
import duckdb, sys
client = duckdb.connect(sys.argv[1])
client.execute("drop view streams")
print("held", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", holder, str(shown / "analytics.duckdb")]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout
        assert client.stdout.readline() == "held\n"
        with open_version(lake, shown) as connection:
            assert connection.execute("select name from streams").fetchall() == [("a",)]
        build(lake, {"2026-01-01": 7})
        assert release(lake).number == 2
        assert analytics(lake.current, "select n, name from messages, streams") == [(7, "a")]
    finally:
        client.communicate()


def test_a_version_is_read_with_the_comments_of_its_file(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    comments = "select table_name, column_name, comment from duckdb_columns() where not internal order by all"
    with open_version(lake, lake.current.resolve(), with_comments=True) as connection:
        assert connection.execute(comments).fetchall() == analytics(lake.current, comments)


def test_rollback_returns_to_the_version_before_and_the_next_publish_is_whole(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    build(lake, {"2026-01-01": 7})
    release(lake)
    assert rollback(lake).number == 1
    assert analytics(lake.current, "select n from messages") == [(1,)]
    build(lake, {"2026-01-01": 7, "2026-01-02": 1}, ((date(2026, 1, 2), date(2026, 1, 2)),))
    assert release(lake).number == 3
    assert analytics(lake.current, "select n from messages order by event_date") == [(7,), (1,)]
    with pytest.raises(PublishError, match="no published version 9; there are: 1, 2, 3"):
        rollback(lake, 9)


def test_the_last_five_versions_and_those_under_a_day_old_are_kept(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    for hours in (0, 0, 0, 30, 30, 30, 30):
        release(lake, hours)
    assert [v.number for v in versions(lake)] == [3, 4, 5, 6, 7]
    release(lake, 31)
    release(lake, 31)
    assert [v.number for v in versions(lake)] == [4, 5, 6, 7, 8, 9]


def test_repair_makes_a_moved_lake_readable(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    moved = Layout(lake.root.with_name("moved"))
    shutil.move(lake.root, moved.root)
    with pytest.raises(duckdb.IOException):
        analytics(moved.current, "select * from streams")
    assert moved_from(moved, moved.current) == str(lake.root)
    with open_version(moved, moved.current) as connection:
        assert connection.execute("select name from streams").fetchall() == [("a",)]
    repair(moved)
    assert moved_from(moved, moved.current) is None
    assert analytics(moved.current, "select name from streams") == [("a",)]


def test_a_version_that_a_kill_left_half_written_is_never_current(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    release(lake)
    half = lake.published_version(2)
    half.mkdir()
    (lake.published / ".building-000002").mkdir()
    os.sync()
    version = release(lake)
    assert version.number == 3
    assert current_version(lake) == version
    assert not half.exists()
    assert not list(lake.published.glob(".building-*"))


def test_a_table_without_rows_is_published_again_and_filled_later(lake: Layout) -> None:
    build(lake, {})
    assert release(lake).rows["messages"] == 0
    build(lake, {}, days=())
    assert release(lake, 1).rows["messages"] == 0
    assert analytics(lake.current, "select count(*) from messages") == [(0,)]
    build(lake, {"2026-01-02": 2}, days=((date(2026, 1, 2), date(2026, 1, 2)),))
    release(lake, 2)
    assert analytics(lake.current, "select n from messages") == [(2,)]


def test_a_damaged_version_names_file_field_and_remedy(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    manifest = lake.published_version(release(lake).number) / "version.json"
    replace_file(manifest, manifest.read_bytes().replace(b'"2026-01-03"', b'"soon"'))
    with pytest.raises(DocumentError, match=r"version\.json: as_of is 'soon' .*; delete .*000001 to go on without"):
        versions(lake)


def test_a_version_published_before_its_insights_were_noted_is_read(lake: Layout) -> None:
    build(lake, {"2026-01-01": 1})
    version = release(lake)
    manifest = lake.published_version(version.number) / "version.json"
    content = json.loads(manifest.read_text())
    assert content.pop("is_scored") is False
    assert content.pop("root") == str(lake.root)
    replace_file(manifest, json.dumps(content).encode())
    version.root = ""
    assert versions(lake) == [version]
