"""`dbt run` of the facts against the same facts from a hand-written DuckDB script, on the same raw files.

Prints seconds, the ratio of each pair and peak memory, then the same of every mart with the three dearest models:
`python -m benchmarks.marts --messages 1000000`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks.measure import Run, in_turn, line, median, run
from data_lake.contracts import load_contracts
from data_lake.ingest import ingest
from data_lake.layout import Layout
from data_lake.sample_world import write_sample_world
from data_lake.store import ensure_readable
from orchestration.project import INSIGHTS_FOLDER

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "dbt_project"
# What the script computes, with everything it is made from.
FACTS = ("+fct_chat_messages", "+fct_stream_minutes", "+fct_stream_viewer_days", "+fct_viewer_days")
BY_HAND = Path(__file__).with_name("marts_by_hand.sql")
YEAR = 365
# Messages at scale 1 of the sample world.
WORLD = 400_000

RUN_SCRIPT = """
import sys, duckdb
from pathlib import Path
connection = duckdb.connect(sys.argv[1])
connection.execute("set TimeZone = 'UTC'; set threads = 2; set memory_limit = '3GB'")
connection.execute("set preserve_insertion_order = false")
connection.execute(Path(sys.argv[2]).read_text().replace("{raw}", sys.argv[3]))
"""


def world(folder: Path, messages: int) -> Layout:
    """A lake with this many messages over a year in raw/, made once per folder."""
    lake = Layout(folder / f"lake-{messages}-{YEAR}")
    if not lake.raw.exists():
        write_sample_world(lake, scale=messages / WORLD, days=YEAR)
        # Of a large world chat, samples and events are in raw/ already, and the files hold the rest.
        ingest(lake)
        for entity in load_contracts():
            ensure_readable(lake, entity)
    return lake


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "full-house-benchmarks")
    arguments = parser.parse_args()
    lake = world(arguments.folder, arguments.messages)
    by_hand = arguments.folder / "by_hand.duckdb"
    env = {"LAKE_ROOT": str(lake.root)}
    target = arguments.folder / "target"
    # Seeds too, which `dbt run` leaves out; no tests.
    build = [str(Path(sys.executable).with_name("dbt")), "--quiet", "build"]
    build += ["--resource-type", "model", "--resource-type", "seed"]
    places = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(target)]

    def models(*selected: str) -> Run:
        lake.warehouse.unlink(missing_ok=True)
        return run([*build, *selected, *places], env)

    def script() -> Run:
        by_hand.unlink(missing_ok=True)
        return run([sys.executable, "-c", RUN_SCRIPT, str(by_hand), str(BY_HAND), str(lake.raw)], env)

    a, b, ratios = in_turn(lambda: models("--select", *FACTS), script, arguments.repeat)
    print(f"facts of {arguments.messages:,} messages, {os.cpu_count()} cores")
    print(line("dbt run of the facts (process start included)", a))
    print(line("hand-written DuckDB script", b))
    print(f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    compare(lake, by_hand)
    print(line("dbt run of every mart and feature", [models("--exclude", INSIGHTS_FOLDER)]))
    results = json.loads((target / "run_results.json").read_text())["results"]
    dearest = sorted(results, key=lambda r: -r["execution_time"])[:3]
    said_of = [f"{r['unique_id'].rsplit('.', 1)[1]} {r['execution_time']:.1f} s" for r in dearest]
    print(f"{'the three dearest models':<44} {', '.join(said_of)}")


def compare(lake: Layout, by_hand: Path) -> None:
    """Say what both ways counted, so that a fast wrong answer shows."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{lake.warehouse}' as models (read_only); attach '{by_hand}' as script (read_only)")
        for name, built, by_hand_table in (
            ("messages", "models.fct_chat_messages", "script.messages"),
            ("stream minutes", "models.fct_stream_minutes", "script.stream_minutes"),
            ("viewer days by stream", "models.fct_stream_viewer_days", "script.viewer_days"),
        ):
            counts = [connection.execute(f"select count(*) from {t}").fetchone() for t in (built, by_hand_table)]
            print(f"{name:<24} {counts[0][0]:>12,} by models {counts[1][0]:>12,} by hand")  # type: ignore[index]
        hours = [
            connection.execute(f"select sum(viewer_seconds) / 3600 from {t}").fetchone()
            for t in ("models.fct_stream_minutes", "script.stream_minutes")
        ]
        print(f"{'hours watched':<24} {hours[0][0]:>12,.0f} by models {hours[1][0]:>12,.0f} by hand")  # type: ignore[index]


if __name__ == "__main__":
    main()
