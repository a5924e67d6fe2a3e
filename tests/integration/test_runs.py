"""Whatever the order and the slices in which rows arrive, the same tables come out."""

from __future__ import annotations

import pytest

from data_lake.layout import Layout
from tests.builders import at
from tests.integration.lakes import build, query, query_built, tables
from tests.integration.tiny_world import DAYS, HOLE, arrive


def test_a_run_a_day_ends_in_the_same_tables(tiny_lake: Layout, lake: Layout) -> None:
    stream_in_the_hole = "select stream_id from fct_chat_messages where message_id = 'in the hole'"
    for since, now in zip([HOLE, *DAYS[1:]], DAYS, strict=True):
        arrive(lake, lambda _, when, since=since, now=now: since <= when <= now)  # type: ignore[misc]
        build(lake, from_day=since, to_day=now)
        assert query_built(lake, stream_in_the_hole) == [(None,) if now == DAYS[0] else ("s3",)]
    assert tables(lake) == tables(tiny_lake)


def test_shuffled_days_with_snapshots_that_come_last_end_in_the_same_tables(tiny_lake: Layout, lake: Layout) -> None:
    for since, now in ((DAYS[1], DAYS[2]), (HOLE, DAYS[0])):
        arrive(lake, lambda entity, when, s=since, n=now: entity != "streams" and s <= when <= n)  # type: ignore[misc]
        build(lake, from_day=since, to_day=now)
    assert query_built(lake, "select count(*) from fct_chat_messages") == [(41,)]
    arrive(lake, lambda entity, _: entity == "streams")
    build(lake)
    assert tables(lake) == tables(tiny_lake)


def test_one_message_from_two_tools_counts_once_also_over_midnight(tiny_lake: Layout) -> None:
    assert query(tiny_lake, "select count(*), count(*) filter (contains(message_id, ':')) from fct_chat_messages") == [
        (41, 0)
    ]


def test_average_and_hours_of_the_two_streams(tiny_lake: Layout) -> None:
    rows = query(
        tiny_lake,
        "select started_at, message_count, peak_viewers, average_viewers, hours_watched from fct_streams order by 1",
    )
    (_, first, second) = rows
    # Ten messages before midnight and eight until the end at 00:08; the two after it belong to no stream.
    assert first[:3] == (at("2026-01-28 23:50"), 18, 70)
    assert second[:4] == (at("2026-01-30 20:00"), 20, 100, 100)
    assert second[4] == pytest.approx(100 * 18 / 60)
