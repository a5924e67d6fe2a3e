"""A lake that is run again, seen as of a day, refused by the audit: what readers see, and what comes after."""

from __future__ import annotations

import json
import shutil

import duckdb
import pytest

from data_lake import publish
from data_lake.layout import Layout
from data_lake.publish import current_version
from data_lake.store import write_partition
from tests.builders import at, day, put, rows_of, stream
from tests.integration.lakes import build, published, query, query_built, run, run_well, tables
from tests.integration.tiny_world import DAYS


@pytest.fixture
def built(tiny_lake: Layout, lake: Layout) -> Layout:
    """A copy of the tiny lake to run again."""
    shutil.copytree(tiny_lake.root, lake.root, symlinks=True)
    publish.repair(lake)
    return lake


def test_a_rebuilt_warehouse_and_a_second_run_change_nothing(built: Layout) -> None:
    before, version = published(built), current_version(built)
    run_well(built)
    assert current_version(built) == version
    run_well(built, rebuild="warehouse")
    assert published(built) == before


def test_the_lake_as_of_a_day_holds_nothing_later_and_comes_back(built: Layout) -> None:
    before = tables(built)
    build(built, to_day=DAYS[1])
    assert query_built(built, "select max(event_date)::varchar from fct_chat_messages") == [("2026-01-29",)]
    assert query_built(built, "select title from fct_streams where title is not null") == [("a title",)]
    build(built)
    assert tables(built) == before


def test_a_failed_audit_leaves_the_last_publish_and_a_day_that_becomes_empty_leaves_every_table(built: Layout) -> None:
    before = current_version(built)
    tool, wrong, emptied = "twitch_downloader", day("2026-01-27"), day("2026-01-24")
    # A reader that stays open is not blocked and blocks nothing.
    with duckdb.connect(str(built.current / "analytics.duckdb"), read_only=True) as reader:
        # The newest list of recordings lacks a channel that the one before had: gone, or lost.
        names = {"r1": "one", "r2": "two", "r3": "two"}
        kept = [stream(r, "2026-01-20 10:00", "2026-01-20 11:00", channel_id=c) for r, c in names.items()]
        put(built, "streams", *({**row, "observed_at": at("2026-01-26 20:00")} for row in kept), source=tool)
        put(built, "streams", *({**row, "observed_at": at(f"{wrong} 20:00")} for row in kept[1:]), source=tool)
        summary = run(built)
        assert not summary.succeeded
        (failed,) = [c for c in summary.failed_checks if c.is_blocking]
        assert any(row.get("channel_id") == "one" for row in failed.worst_rows)
        assert current_version(built) == before
        alert = json.loads(built.alerts.read_text().splitlines()[-1])
        assert "streams" in json.dumps(alert)

        # The wrong list goes, and so does another day's only message; what is left is published.
        built.raw_partition("streams", wrong, tool).unlink()
        write_partition(built, "chat_messages", emptied, tool, rows_of("chat_messages"))
        run_well(built)
        assert reader.execute("select count(*) from fct_chat_messages").fetchall() == [(41,)]
    assert query(built, "select count(*) from fct_chat_messages") == [(40,)]
    assert query(built, f"select count(*) from fct_viewer_days where event_date = '{emptied}'") == [(0,)]
