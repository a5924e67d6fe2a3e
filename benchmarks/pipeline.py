"""The sample world end to end, reading alone, and where a run spends its time before it does anything.

`python -m benchmarks.pipeline`. Set `make setup` before: a warm environment is measured, not an installation.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.measure import Run, line, run
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
STEP = re.compile(r"^(?P<step>[a-z_ ]+?) {2,}.*\((?P<seconds>[0-9.]+) s\)$", re.MULTILINE)


def end_to_end(folder: Path) -> Run:
    """A fresh lake: sample world, read, build, audit, publish; prints the seconds of each step."""
    whole = run([*FULLHOUSE, "run", "--sample-if-empty", "--no-models"], {"LAKE_ROOT": str(folder)})
    for found in STEP.finditer(whole.output):
        print(f"    {found['step']:<40} {float(found['seconds']):6.1f} s")
    return whole


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
    said = parser.parse_args()
    for name, code in STARTS.items():
        print(line(f"start: {name}", [run([sys.executable, "-c", code]) for _ in range(3)]))
    for _ in range(said.repeat):
        with tempfile.TemporaryDirectory() as folder:
            print(line("sample world end to end", [end_to_end(Path(folder) / "lake")]))
            again = run([*FULLHOUSE, "run", "--no-models"], {"LAKE_ROOT": str(Path(folder) / "lake")})
            print(line("a run with nothing to do", [again]))
    with tempfile.TemporaryDirectory() as folder:
        reading(Path(folder) / "lake")


if __name__ == "__main__":
    main()
