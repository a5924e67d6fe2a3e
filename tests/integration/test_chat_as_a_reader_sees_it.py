"""Through a whole lake: chat that was cut is not silence, and texts that look the same are the same."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from data_lake.adding import add_path
from data_lake.ingest import ingest
from data_lake.layout import Layout
from tests.builders import put, sample, twitch_chat
from tests.integration.lakes import build, query_built

DAY = datetime(2026, 3, 11)
COPIED = "this stream is the best thing since sliced bread, go"
# What clients append so that a platform lets a repeated text pass.
INVISIBLE = ("", " \U000e0000", " \u034f")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A day's stream of which one hour of chat was exported, and a stream of an hour with two copied texts."""
    folder: Path = tmp_path_factory.mktemp("chat")
    lake = Layout(folder / "lake")
    # One message a minute from 8 to 9 o'clock, ten viewers all day.
    trimmed = [(8 * 3600 + 60 * n + 5, f"ann{n % 5}", f"message {n}") for n in range(60)]
    path = twitch_chat(folder / "cut.json", trimmed, start=f"{DAY.isoformat()}Z", exported="2026-03-14T00:00:00Z")
    content = json.loads(path.read_text())
    content["video"] |= {"start": 8 * 3600, "end": 9 * 3600, "length": 24 * 3600}
    path.write_text(json.dumps(content))
    copies = [(100 + 2 * n, f"u{n}", COPIED + suffix) for n, suffix in enumerate(INVISIBLE)]
    copies += [(1000 + 2 * n, f"u{n}", f"{COPIED} two") for n in range(3)]
    copied = twitch_chat(
        folder / "copied.json", copies, start="2026-03-12T00:00:00Z", video="101", login="six", channel=6
    )
    for file in (path, copied):
        list(add_path(lake, file))
    ingest(lake)
    minutes = [(DAY + timedelta(minutes=n)).isoformat() for n in range(24 * 60)]
    put(
        lake,
        "viewer_counts",
        *(sample(at, 10, channel_id="1", stream_id="vod:100") for at in minutes),
        source="tabular",
    )
    build(lake)
    return lake


def test_messages_an_hour_divide_by_the_hours_whose_chat_is_there(lake: Layout) -> None:
    rated = "select messages_per_viewer_hour, chat_coverage_ratio from fct_streams where started_at = '2026-03-11'"
    ((rate, ratio),) = query_built(lake, rated)
    assert (rate, round(ratio, 3)) == (6.0, 0.042)


def test_minutes_outside_the_export_are_unknown_and_not_silent(lake: Layout) -> None:
    known = """select message_count is not null, chat_observability, count(*) from fct_stream_minutes
        where event_date = '2026-03-11' group by all order by all"""
    assert query_built(lake, known) == [(False, None, 23 * 60), (True, "measured", 60)]


def test_texts_that_differ_by_what_nobody_sees_are_one_text(lake: Layout) -> None:
    windows = "select repetition_ratio from fct_chat_windows where event_date = '2026-03-12' and message_count > 0"
    assert query_built(lake, windows) == [(1.0,), (1.0,)]
    assert query_built(lake, "select chatter_count from fct_copypastas") == [(3,), (3,)]
    written = "select count(distinct text) from fct_chat_messages where event_date = '2026-03-12'"
    assert query_built(lake, written) == [(4,)]  # what is stored and shown is untouched
