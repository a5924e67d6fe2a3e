"""A stream of many days whose rows arrive late: the same tables as when all of it is built at once."""

from __future__ import annotations

from data_lake.layout import Layout
from tests.builders import message, put, sample
from tests.integration.lakes import published, query, run_well


def test_a_hole_of_days_that_closes_later_takes_in_what_was_said_in_it(lake: Layout) -> None:
    put(lake, "viewer_counts", *(sample(f"2026-01-01 20:{n:02}", 5) for n in range(9)))
    put(lake, "chat_messages", message("in the hole", "2026-01-03 12:00", stream_id=None))
    run_well(lake)
    assert query(lake, "select stream_id from fct_chat_messages") == [(None,)]
    put(lake, "viewer_counts", *(sample(f"2026-01-08 20:{n:02}", 5) for n in range(9)))
    run_well(lake)
    assert query(lake, "select stream_id from fct_chat_messages") == [("s1",)]
    before = published(lake)
    run_well(lake, rebuild="warehouse")
    assert published(lake) == before
