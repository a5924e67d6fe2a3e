"""`import fullhouse`: published tables as polars frames, with what their columns mean."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

import fullhouse
from data_lake.files import replace_file
from data_lake.layout import Layout
from data_lake.planning import Plan, begin_build, end_build
from data_lake.publish import PublishError, Table, publish
from data_lake.sql import connect

DAYS = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]
STREAMS = Table("fct_streams", "main.streams", "One row per broadcast.", {"title": "Its title.", "viewers": "Viewers."})
MINUTES = Table("fct_minutes", "main.minutes", "One row per minute.", {"event_date": "UTC day."}, by_day=True)
NOTHING = Table("fct_nothing", "main.nothing", "One row per nothing.", {"event_date": "UTC day."}, by_day=True)


@pytest.fixture
def published(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> Layout:
    todo = Plan(DAYS[-1], None, (), (), "models", "a test")
    begin_build(lake, todo, ())
    with connect(lake, str(lake.warehouse)) as connection:
        connection.execute("create table streams as select * from (values ('a', 10), ('b', null)) as t(title, viewers)")
        connection.execute(
            "create table minutes as select unnest(?::date[]) as event_date, unnest([5, 6, 7]) as message_count", [DAYS]
        )
        connection.execute("create table nothing as select * from minutes limit 0")
    end_build(lake, todo)
    publish(lake, [STREAMS, MINUTES, NOTHING], as_of=DAYS[-1], run_id="r", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    return lake


def test_a_published_table_is_read_as_it_is(published: Layout) -> None:
    assert fullhouse.read("fct_streams").rows() == [("a", 10), ("b", None)]
    assert fullhouse.read("fct_minutes").sort("event_date").rows() == [
        (day, count) for day, count in zip(DAYS, [5, 6, 7], strict=True)
    ]


def test_a_table_without_rows_has_its_columns_and_their_types(published: Layout) -> None:
    empty = fullhouse.read("fct_nothing")
    assert (empty.height, empty.schema["event_date"], empty.schema["message_count"]) == (0, pl.Date, pl.Int32)


def test_columns_and_rows_are_chosen_before_files_are_opened(published: Layout) -> None:
    later = pl.col("event_date") > DAYS[1]
    assert fullhouse.read("fct_minutes", ["message_count"], where=later).rows() == [(7,)]
    for file in (published.published_version(1) / "fct_minutes" / f"event_date={DAYS[1]}").glob("*.parquet"):
        replace_file(file, b"not parquet")
    assert fullhouse.read("fct_minutes", ["message_count"], where=later).rows() == [(7,)]


def test_tables_and_columns_say_what_they_mean(published: Layout) -> None:
    assert fullhouse.tables().rows() == [
        ("fct_minutes", 3, "One row per minute."),
        ("fct_nothing", 0, "One row per nothing."),
        ("fct_streams", 2, "One row per broadcast."),
    ]
    assert fullhouse.describe("fct_streams").rows() == [
        ("title", "String", "Its title."),
        ("viewers", "Int32", "Viewers."),
    ]


def test_a_table_that_is_not_published_is_named_with_those_that_are(published: Layout) -> None:
    with pytest.raises(KeyError, match=r"no table 'fct_stream' is published; there are fct_minutes, .*fct_streams"):
        fullhouse.read("fct_stream")


def test_a_lake_without_anything_published_says_what_publishes(lake: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(lake.root))
    for ask in (fullhouse.tables, lambda: fullhouse.read("fct_streams"), lambda: fullhouse.describe("fct_streams")):
        with pytest.raises(PublishError, match=r"nothing is published in .*lake \(LAKE_ROOT\): 'fullhouse run'"):
            ask()
