"""The mappings in examples/ on the real data they were written for: known figures, no problems, no bad rows."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml

from data_lake.sources.any.tabular.mapping import mappings_for
from tests.unit.test_tabular import Read

EXAMPLES = Path(__file__).parents[2] / "examples"


def copied(example: str, real: Path, tmp_path: Path, *parts: str) -> list[Path]:
    """The example's folder with these parts of the real data in it; returns the data files its mappings read."""
    place = tmp_path / "landing" / "tabular" / example
    shutil.copytree(EXAMPLES / example, place)
    for part in parts:
        source = real / example / part
        if source.is_dir():
            shutil.copytree(source, place / part, dirs_exist_ok=True)
        else:
            (place / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / part)
    files = [p for p in sorted(place.rglob("*")) if p.is_file() and p.suffix not in (".sql", ".yml", ".md")]
    return [p for p in files if mappings_for(p)]


def read_example(path: Path) -> Read:
    sidecar = path.with_name(path.name + ".yml")
    return Read(path, yaml.safe_load(sidecar.read_text()) if sidecar.exists() else {})


AUDIENCE = """
    with held as (
        select viewer_count as v, date_diff('second', observed_at, lead(observed_at) over (order by observed_at)) as s
        from counts where viewer_count >= 0
    )
    select sum(v * s) filter (s <= 300) / sum(s) filter (s <= 300), max(v), sum(v * s) filter (s <= 300) / 3600
    from held
"""


@pytest.mark.parametrize(
    ("marathon", "average", "peak", "hours"),
    [
        ("2016_sgdq/sgdq2016final.json", 100977.7, 162_210, 16_075_649),
        ("2017_agdq/latest.json", 137_815.1, 251_051, 21_894_221),
        ("2022_agdq/latest.json", 72_983.1, 120_408, 11_617_687),
    ],
)
def test_the_gdq_example_gives_the_known_audience(
    real_data: Path, tmp_path: Path, marathon: str, average: float, peak: int, hours: float
) -> None:
    (path,) = copied("gdq", real_data, tmp_path, marathon)
    read = read_example(path)
    assert (read.reasons, dict(read.bad)) == ([], {})
    counts = pa.concat_tables(read.tables["viewer_counts"])  # read by name in the query
    audience = duckdb.sql(AUDIENCE).fetchall()[0]
    assert counts.num_rows
    assert audience[0] == pytest.approx(average, abs=0.1)
    assert audience[1] == peak
    assert audience[2] == pytest.approx(hours, abs=1)
    (stream,) = read.good["streams"]
    assert stream["stream_id"] == marathon.split("/")[0]
    assert (stream["started_at"], stream["ended_at"]) == (
        min(read.column("observed_at")),
        max(read.column("observed_at")),
    )


def test_gdq_donations_are_steps_of_the_total_and_a_missing_total_is_no_fall(real_data: Path, tmp_path: Path) -> None:
    paths = copied("gdq", real_data, tmp_path, "2017_agdq/latest.json", "2019_sgdq/latest.json")
    agdq, sgdq = (read_example(path).good["stream_events"] for path in paths)
    assert {e["event_type"] for e in agdq} == {"donation"}
    assert sum(e["amount"] for e in agdq) == Decimal("2214604.19")
    corrections = [e for e in sgdq if e["event_type"] == "donation_correction"]
    assert (len(corrections), sum(e["amount"] for e in corrections)) == (9, Decimal("-10075.00"))


def test_gdq_schedules_are_one_segment_per_run(real_data: Path, tmp_path: Path) -> None:
    paths = copied("gdq", real_data, tmp_path, "2017_agdq/schedule.json", "2022_agdq/schedule.json")
    runs = [read_example(path).good["stream_segments"] for path in paths]
    assert [len(r) for r in runs] == [180, 146]
    assert all(r["segment_started_at"] < r["segment_ended_at"] <= r["observed_at"] for rs in runs for r in rs)


def test_the_stellive_example_reads_fourteen_full_snapshots_and_the_view_counts_between(
    real_data: Path, tmp_path: Path
) -> None:
    paths = copied("stellive", real_data, tmp_path, "raw_snapshots", "vod_views_snapshots.csv.gz")
    snapshots = {path.name: read_example(path) for path in paths}
    views = snapshots.pop("vod_views_snapshots.csv.gz")
    assert all(not snapshot.problems and not snapshot.bad for snapshot in [*snapshots.values(), views])
    times = {moment for snapshot in snapshots.values() for moment in snapshot.moments("streams")}
    between = views.moments("streams")
    assert (len(snapshots), len(times), len(between), len(times | between)) == (14, 14, 128, 142)
    lost = snapshots["streams_2026-05-26_ae27db45.csv.gz"].good["streams"]
    assert len(lost) == 4881
    assert "aokumo_rin" not in {row["channel_id"] for row in lost}
    stream = lost[0]
    assert stream["started_date"] == date(2026, 5, 22)
    assert (stream["stream_id"], stream["duration_seconds"]) == ("vod:13326157", 266.9 * 60)


def test_the_stellive_example_takes_no_zero_for_a_follower_count(real_data: Path, tmp_path: Path) -> None:
    parts = ("latest/followers.csv", "latest/subscribers.csv", "latest/videos.csv")
    reads = [read_example(path) for path in copied("stellive", real_data, tmp_path, *parts)]
    assert all(not read.problems and not read.bad for read in reads)
    rows = [row for read in reads for row in read.good["channels"]]
    assert len({(r["platform"], r["channel_id"], r["observed_at"]) for r in rows}) == len(rows) == 1320
    assert min(r["follower_count"] for r in rows if r.get("follower_count") is not None) > 1
    assert len(reads[2].good["videos"]) == 4726
