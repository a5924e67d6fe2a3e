"""What the detectors find of what was planted in sample worlds not used to build them, and what they find in GDQ.

Prints recall and precision by overlap in time: `python -m benchmarks.detection --seeds 101 102 103 104 105`. Seeds 1
to 3 served to choose the baseline. The models read no truth; only this file does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from data_lake import landing
from data_lake.contracts import load_contracts
from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.sample_world import write_sample_world
from data_lake.sources import source_ranks
from data_lake.store import ensure_readable
from orchestration.project import DBT, PROJECT

REPOSITORY = Path(__file__).parents[1]
GDQ_FILES = ("*/latest.json", "*/schedule.json", "*/sgdq2016final.json")
# A raid's viewers arrive within ten minutes and are a spike that long.
RAID_MINUTES = 10
COPIED_BY = 3


@dataclass(frozen=True)
class Kind:
    """One kind of finding: what was planted and what a mart says, both as SQL over (platform, stream, time)."""

    name: str
    planted: str
    detected: str

    @classmethod
    def anomaly(cls, name: str, planted: str, condition: str) -> Kind:
        """Planted rows that the anomalies of this condition should find."""
        return cls(name, planted, f"select * from fct_stream_anomalies where {condition}")


KINDS = (
    Kind.anomaly(
        "moments",
        "select * exclude (kind), chat_from as started_at, chat_to as ended_at from moments",
        "anomaly_type = 'chat_surge' and is_raised",
    ),
    Kind.anomaly(
        "raids",
        f"select *, occurred_at as started_at, occurred_at + interval {RAID_MINUTES} minute as ended_at from raids",
        "anomaly_type in ('viewer_spike', 'chat_surge') and cause = 'raid'",
    ),
    Kind.anomaly(
        "viewer spikes",
        "select * from anomalies where anomaly_type = 'viewer_spike' and cause is null",
        "anomaly_type = 'viewer_spike' and is_raised",
    ),
    Kind.anomaly(
        "viewer drop-offs",
        "select * from anomalies where anomaly_type = 'viewer_dropoff' and cause is null",
        "anomaly_type = 'viewer_dropoff' and is_raised",
    ),
    Kind.anomaly("holes", "select * from anomalies where anomaly_type = 'data_hole'", "anomaly_type = 'data_hole'"),
    Kind.anomaly("surges of bots", "select * from anomalies where cause = 'bot_spam'", "cause = 'bots'"),
    Kind(
        "copied texts",
        # A text planted in a quiet chat is written by one or two people: nobody copied it.
        f"""select * from spells where kind = 'copypasta' and (
            select count(distinct viewer_id) from fct_chat_messages as m
            where m.platform = spells.platform and m.channel_id = spells.channel_id and m.text = spells.text
                and m.sent_at between spells.started_at and spells.ended_at
        ) >= {COPIED_BY}""",
        "select platform, stream_id, first_sent_at as started_at, last_sent_at as ended_at from fct_copypastas",
    ),
)
# Planted rows name the stream as its tool does; int_stream_ids says which stream that is.
SCORE = """
with planted as (
    select row_number() over () as id, ids.platform, ids.stream_id, truth.started_at, truth.ended_at
    from ({planted}) as truth
    inner join int_stream_ids as ids
        on truth.platform = ids.platform
        and ids.source_stream_id = coalesce('vod:' || truth.vod_id, truth.livestream_id)
),
detected as (
    select row_number() over () as id, platform, stream_id, started_at, ended_at
    from ({detected})
),
hits as (
    select planted.id as planted_id, detected.id as detected_id
    from planted inner join detected
        on planted.platform = detected.platform and planted.stream_id = detected.stream_id
        and planted.started_at < detected.ended_at and planted.ended_at > detected.started_at
)
select
    (select count(*) from planted), (select count(distinct planted_id) from hits),
    (select count(*) from detected), (select count(distinct detected_id) from hits)
"""


def build(lake: Layout, *select: str) -> None:
    """Read what lies in landing/ and build these models. Raises RuntimeError with dbt's last lines when it fails."""
    ingest(lake)
    for entity in load_contracts():
        ensure_readable(lake, entity)
    where = {"LAKE_ROOT": str(lake.root), "DBT_PROJECT_DIR": str(PROJECT), "DBT_PROFILES_DIR": str(PROJECT)}
    command = [*DBT, "--quiet", "build", "--resource-type", "model", "--resource-type", "seed", "--select", *select]
    command += ["--target-path", str(lake.root / "target"), "--vars", json.dumps({"source_rank": source_ranks()})]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **where}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"dbt ended with {done.returncode}:\n{done.stdout[-3000:]}")


def score(lake: Layout) -> dict[str, tuple[int, int, int, int]]:
    """By kind: planted, of them detected, detected, of them planted."""
    with duckdb.connect(str(lake.warehouse), read_only=True) as connection:
        for table in ("moments", "raids", "anomalies", "spells"):
            connection.execute(f"create temp view {table} as from '{lake.truth / table}.parquet'")
        counts = {}
        for kind in KINDS:
            row = connection.execute(SCORE.format(planted=kind.planted, detected=kind.detected)).fetchone()
            assert row
            counts[kind.name] = row
        return counts


def line(name: str, counts: tuple[int, int, int, int]) -> str:
    """Counts and both shares; a share of nothing is 1."""
    planted, recalled, detected, right = counts
    recall, precision = recalled / planted if planted else 1.0, right / detected if detected else 1.0
    return f"{name:<22} {planted:>7,} {detected:>7,} {recall:>8.2f} {precision:>10.2f}"


def worlds(seeds: list[int], scale: float, days: int, folder: Path) -> None:
    """Build a world per seed, print each and all together."""
    total: dict[str, tuple[int, int, int, int]] = {kind.name: (0, 0, 0, 0) for kind in KINDS}
    for seed in seeds:
        lake = Layout(folder / f"seed-{seed}")
        write_sample_world(lake, seed=seed, scale=scale, days=days)
        build(lake, "+fct_stream_anomalies", "+fct_copypastas")
        counts = score(lake)
        shutil.rmtree(lake.root)
        print(f"seed {seed:<17} planted   found   recall  precision")
        for kind in KINDS:
            print(line(kind.name, counts[kind.name]))
            old, new = total[kind.name], counts[kind.name]
            total[kind.name] = (old[0] + new[0], old[1] + new[1], old[2] + new[2], old[3] + new[3])
    print(f"{'all ' + str(len(seeds)) + ' seeds':<22} planted   found   recall  precision")
    for kind in KINDS:
        print(line(kind.name, total[kind.name]), flush=True)


GDQ_QUERY = """
select
    anomalies.stream_id,
    strftime(anomalies.started_at, '%Y-%m-%d %H:%M') as at,
    round(epoch(anomalies.ended_at - anomalies.started_at) / 60)::int as minutes,
    coalesce(round(anomalies.observed_value)::int::varchar, '') as viewers,
    coalesce(round(anomalies.expected_value)::int::varchar, '') as expected,
    coalesce(anomalies.cause, 'raised') as cause,
    segments.title as run
from fct_stream_anomalies as anomalies
asof left join fct_stream_segments as segments
    on anomalies.platform = segments.platform and anomalies.stream_id = segments.stream_id
    and anomalies.started_at >= segments.segment_started_at
where {what}
order by {order} limit 15
"""


def gdq(data: Path, folder: Path) -> None:
    """The fifteen largest spikes and holes of twelve marathons, with the run that was on."""
    lake = Layout(folder / "gdq")
    landed = lake.landing / "tabular" / "gdq"
    landed.mkdir(parents=True)
    for mapping in sorted((REPOSITORY / "examples" / "gdq").glob("*.sql")):
        shutil.copy(mapping, landed / mapping.name)
    for file in sorted(f for pattern in GDQ_FILES for f in data.glob(pattern)):
        (landed / file.parent.name).mkdir(exist_ok=True)
        shutil.copy(file, landed / file.parent.name / file.name)
    assert any(landing.landing_files(lake))
    build(lake, "+fct_stream_anomalies", "+fct_stream_segments")
    with duckdb.connect(str(lake.warehouse), read_only=True) as connection:
        for name, what, order in (
            ("spikes", "anomaly_type = 'viewer_spike'", "observed_value - expected_value desc"),
            ("holes", "anomaly_type = 'data_hole'", "minute_count desc"),
        ):
            print(f"GDQ: the fifteen largest {name}")
            query = GDQ_QUERY.format(what=what, order=f"anomalies.{order}")
            for stream, at, minutes, viewers, expected, cause, run in connection.execute(query).fetchall():
                seen = f"{viewers:>7} for {expected:>7}" if viewers else f"{'':>19}"
                print(f"{stream:<10} {at} {minutes:>4} min {seen} {cause:<12} {run}")
    shutil.rmtree(lake.root)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="*", default=[101, 102, 103, 104, 105])
    parser.add_argument("--scale", type=float, default=0.15)
    parser.add_argument("--days", type=int, default=60)
    arguments = parser.parse_args()
    data = Path(os.environ.get("FULLHOUSE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    with tempfile.TemporaryDirectory() as folder:
        worlds(arguments.seeds, arguments.scale, arguments.days, Path(folder))
        if (data / "gdq").exists():
            gdq(data / "gdq", Path(folder))
        else:
            print("GDQ: not here; put the real data at ../shared/data or set FULLHOUSE_REAL_DATA")


if __name__ == "__main__":
    main()
