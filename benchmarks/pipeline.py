"""The sample world end to end, without models and with them, reading alone, and what a run costs before its first row.

`python -m benchmarks.pipeline`. Set `make setup` before: a warm environment is measured, not an installation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.measure import line, part_lines, run
from data_lake.layout import Layout
from data_lake.sample_world import write_sample_world

FULLHOUSE = [sys.executable, "-m", "orchestration.cli"]
READ = (
    "import sys; from pathlib import Path; from data_lake.ingest import ingest; from data_lake.layout import Layout; "
)
READ += "ingest(Layout(Path(sys.argv[1])))"
# What a run imports and reads before its first row, each in a process of its own.
STARTS = {
    "python itself": "pass",
    "lake and contracts": "from data_lake.contracts import load_contracts; load_contracts()",
    "assets and jobs (dagster, dagster-dbt)": "import orchestration.definitions",
    "dbt": "import dbt.cli.main",
    "great expectations (beside dbt)": "import great_expectations",
}
# End to end: what is asked for, and the seconds it may take on two quiet cores.
WHOLE_RUNS = {"sample world end to end, without models": (["--no-models"], 60), "with models": ([], 120)}


def end_to_end() -> None:
    """A fresh lake each: sample world, read, build, audit, publish, then the same with models; prints their parts."""
    for name, (flags, aim) in WHOLE_RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            whole = run([*FULLHOUSE, "run", "--sample-if-empty", *flags], {"LAKE_ROOT": folder})
        print(line(name, [whole]), f"(aim {aim} s)")
        print(part_lines(whole), flush=True)


def reading(folder: Path) -> None:
    """Rows per second from landing/ to raw/, one process."""
    lake = Layout(folder)
    write_sample_world(lake)
    done = run([sys.executable, "-c", READ], {"LAKE_ROOT": str(folder)})
    rows = sum(pq.read_metadata(path).num_rows for path in lake.raw.glob("*/event_date=*/*/*.parquet"))
    size = sum(path.stat().st_size for path in lake.landing.rglob("*") if path.is_file())
    print(line("landing to raw, sample world", [done]))
    print(f"    {rows:,} rows kept, {rows / done.seconds:,.0f} rows/s, {size / done.seconds / 1e6:.1f} MB/s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    for name, code in STARTS.items():
        print(line(f"start: {name}", [run([sys.executable, "-c", code]) for _ in range(3)]))
    for _ in range(arguments.repeat):
        end_to_end()
    with tempfile.TemporaryDirectory() as folder:
        reading(Path(folder) / "lake")


if __name__ == "__main__":
    main()
