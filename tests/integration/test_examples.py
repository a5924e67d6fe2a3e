"""The three data sets of examples/, added and run as their pages say, judged by what is published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from data_lake.adding import add_path
from data_lake.layout import Layout
from data_lake.publish import Version, current_version
from orchestration.run_summary import RunSummary
from tests.integration.lakes import query, run, run_well

EXAMPLES = Path(__file__).parents[2] / "examples"
MAX_GAP = timedelta(seconds=300)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the lakes of this file; they are large, so it is not kept."""
    folder = tmp_path_factory.mktemp("examples")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def marathons(real_data: Path, places: Path) -> Layout:
    lake = Layout(places / "gdq")
    assert len(list(add_path(lake, real_data / "gdq", EXAMPLES / "gdq"))) == 12 + 11
    run_well(lake, models=True)
    return lake


def samples(folder: Path) -> list[tuple[datetime, int]]:
    """The viewers of a marathon as its own file says them, by time."""
    whole = folder / "sgdq2016final.json"
    if whole.exists():
        data = json.loads(whole.read_text())["data"]
        stated = [(datetime.fromtimestamp(int(at) / 1000), row.get("v")) for at, row in data.items()]
    else:
        rows = json.loads((folder / "latest.json").read_text())
        stated = [(datetime.fromisoformat(row["time"]), row.get("v")) for row in rows]
    return sorted((at, viewers) for at, viewers in stated if viewers is not None and viewers >= 0)


def audience(folder: Path) -> tuple[float, int, float]:
    """Average, peak and hours watched: each sample holds until the next one when that is at most 300 s away."""
    counted = samples(folder)
    held = [
        (viewers, (after - at).total_seconds())
        for (at, viewers), (after, _) in pairwise(counted)
        if after - at <= MAX_GAP
    ]
    viewer_seconds = sum(viewers * seconds for viewers, seconds in held)
    return viewer_seconds / sum(s for _, s in held), max(v for _, v in counted), viewer_seconds / 3600


def test_every_marathon_has_the_audience_its_samples_say(marathons: Layout, real_data: Path) -> None:
    rows = query(marathons, "select title, average_viewers, peak_viewers, hours_watched from fct_streams")
    computed = {title: tuple(figures) for title, *figures in rows}
    assert len(computed) == len(rows) == 12
    folders = sorted((real_data / "gdq").glob("20*"))
    stated = [(f"{folder.name[5:].upper()} {folder.name[:4]}", audience(folder)) for folder in folders]
    reported = [("AGDQ 2017", (137_815.1, 251_051, 21_894_221.0)), ("AGDQ 2022", (72_983.1, 120_408, 11_617_687.0))]
    assert {name for name, _ in stated} == computed.keys()
    for name, (average, peak, hours) in reported + stated:
        assert computed[name][0] == pytest.approx(average, abs=0.1), name
        assert computed[name][1] == peak, name
        assert computed[name][2] == pytest.approx(hours, abs=1), name


def test_a_marathon_is_one_broadcast_of_a_week_with_its_chat_and_donations(marathons: Layout) -> None:
    rows = query(
        marathons,
        """select live_hours > 120, message_count > 500000, donation_count > 6000, chat_observability, observability
        from fct_streams""",
    )
    assert rows == [(True, True, True, "platform_reported", "measured")] * 12
    segments = marathons.raw / "stream_segments"
    assert len(list(segments.glob("event_date=2*"))) == 12


@dataclass(frozen=True)
class Agency:
    """The lake of the agency after a run that had to fail and one with everything, a VOD chat as well."""

    lake: Layout
    failed: RunSummary
    published_by_failed: Version | None
    passed: RunSummary


@pytest.fixture(scope="module")
def agency(real_data: Path, places: Path) -> Agency:
    lake = Layout(places / "stellive")
    list(add_path(lake, real_data / "stellive", EXAMPLES / "stellive"))
    failed, published = run(lake, to_day=date(2026, 5, 26)), current_version(lake)
    (added,) = add_path(lake, real_data / "twitch_chat_text" / "vod_chat.txt", EXAMPLES / "vod_chat")
    assert added.source == "chat_text"
    return Agency(lake, failed, published, run_well(lake))


def test_a_snapshot_that_lost_a_channel_publishes_nothing_until_a_later_one_has_it_back(agency: Agency) -> None:
    assert not agency.failed.succeeded
    (check,) = [c for c in agency.failed.failed_checks if c.is_blocking]
    assert "aokumo_rin (509 rows before) is gone from the snapshot of 2026-05-26" in check.message
    assert agency.published_by_failed is None

    (warning,) = [c for c in agency.passed.failed_checks if "raw_streams" in c.name]
    assert not warning.is_blocking
    assert "aokumo_rin (509 rows before) is gone from the snapshot of 2026-05-26 04:09:49" in warning.message

    snapshots = (
        "select observed_at, bool_and(is_complete), bool_or(is_latest) from fct_stream_views group by all order by 1"
    )
    seen = query(agency.lake, snapshots)
    assert len(seen) == 142
    assert [str(at) for at, is_complete, _ in seen if not is_complete] == ["2026-05-26 04:09:49"]
    assert not any(is_latest for _, is_complete, is_latest in seen if not is_complete)

    views = query(
        agency.lake,
        """select count(*), min(view_growth), sum(view_growth), max(view_shortfall), count(*) filter (is_latest),
            count(distinct stream_id) from fct_stream_views""",
    )
    rows, least, growth, shortfall, latest, streams = views[0]
    assert (rows, least, shortfall) == (788_123, 0, 0)
    assert growth > 0
    assert latest == streams == 6_078
    counts = "select count(*), count(observed_ratio) from fct_streams where platform <> 'twitch'"
    assert query(agency.lake, counts) == [(6_078, 0)]


def test_a_vod_chat_is_messages_events_and_gifts(agency: Agency) -> None:
    counts = """
        select message_count, subscription_count, gift_count, live_hours from fct_streams where platform = 'twitch'
    """
    ((messages, subscriptions, gifts, hours),) = query(agency.lake, counts)
    assert (messages, subscriptions, gifts) == (67_719, 299, 27)
    assert query(agency.lake, "select count(*) from fct_chat_messages") == [(67_719,)]
    assert hours == pytest.approx(5.39, abs=0.01)
