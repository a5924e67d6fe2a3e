"""What a new day costs when the lake is old: the models and the publish of one day, of a year against of a month.

The month is the last one of the year: the day that is added is the same. It is added as a run adds it: the days that
`planning.plan` names for its changed partitions. What a run costs without any day (dbt's start, the models that are
rebuilt whole) is measured beside it, and subtracted: `python -m benchmarks.days --messages 10000000`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from benchmarks.marts import world
from benchmarks.measure import Run, in_turn, line, median, run
from data_lake import planning, publish
from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.store import ensure_readable
from orchestration.assets.marts import dbt_vars
from orchestration.project import DBT, INSIGHTS_FOLDER, PROJECT, load_manifest, published_tables

MONTH = 30
FINGERPRINT = "benchmark"


@dataclass
class Costs:
    """Runs of the models over a new day and over none, and seconds of the plan and of two publishes."""

    day: list[Run]
    nothing: list[Run]
    plan_seconds: float
    publish_seconds: tuple[float, float]
    linked_ratio: float

    def day_alone(self, of: Callable[[Run], float]) -> float:
        """A number of the runs over a day less the same of those over none: the median of each."""
        return median([of(run) for run in self.day]) - median([of(run) for run in self.nothing])


def wall(run: Run) -> float:
    return run.seconds


def processor(run: Run) -> float:
    return run.cpu_seconds


def last_month(year: Layout, folder: Path) -> Layout:
    """A lake of the year's last days: the same files."""
    month = Layout(folder / f"{year.root.name}-last-{MONTH}")
    if not month.raw.exists():
        every = list(partitions(year))
        first = max(part.day for part in every if part.entity == "chat_messages") - timedelta(MONTH - 1)
        for part in every:
            if part.day >= first:
                target = month.root / part.path.relative_to(year.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(part.path, target)
        for entity in load_contracts():
            ensure_readable(month, entity)
    return month


def build(lake: Layout, todo: planning.Plan, folder: Path) -> Run:
    """dbt build as a run starts it, without what belongs to `make test`."""
    command = [*DBT, "--quiet", "build", "--exclude-resource-type", "unit_test", "--exclude", INSIGHTS_FOLDER]
    command += ["--vars", json.dumps(dbt_vars(todo, ()))]
    places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", folder / "target"]
    return run([*command, *map(str, places)], {"LAKE_ROOT": str(lake.root), "DBT_PROJECT_DIR": str(PROJECT)})


def publish_all(lake: Layout) -> tuple[float, float]:
    """Seconds of a publish, and the share of the new version's day files that are links to the one before."""
    started = time.perf_counter()
    as_of = planning.built_as_of(lake)
    assert as_of
    tables = published_tables(load_manifest())
    version = publish.publish(lake, tables, as_of=as_of, run_id="benchmark", created_at=publish.utc_now())
    seconds = time.perf_counter() - started
    files = list(lake.published_version(version.number).glob("*/event_date=*/*"))
    return seconds, sum(file.stat().st_nlink > 1 for file in files) / len(files)


def measure(lake: Layout, folder: Path, repeat: int) -> Costs:
    """Build everything, publish it, then add the last day again and again."""
    lake.warehouse.unlink(missing_ok=True)
    everything = planning.plan(lake, FINGERPRINT)
    assert everything
    planning.begin_build(lake, everything, ())
    build(lake, everything, folder)
    planning.end_build(lake, everything)
    whole, _ = publish_all(lake)
    # The last day arrives again: its partitions are as if just written.
    chat = list(partitions(lake, "chat_messages"))
    for part in chat:
        if part.day == max(p.day for p in chat):
            os.utime(part.path)
    started = time.perf_counter()
    todo = planning.plan(lake, FINGERPRINT)
    plan_seconds = time.perf_counter() - started
    assert todo
    assert todo.days, "a changed day is built, and not every day"
    planning.begin_build(lake, todo, ())
    nothing = replace(todo, days=())
    day_runs, nothing_runs, _ = in_turn(lambda: build(lake, todo, folder), lambda: build(lake, nothing, folder), repeat)
    planning.end_build(lake, todo)
    again, linked = publish_all(lake)
    return Costs(day_runs, nothing_runs, plan_seconds, (whole, again), linked)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=10_000_000, help="Messages of the year.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "full-house-benchmarks")
    said = parser.parse_args()
    whole = world(said.folder, said.messages)
    found = {}
    for name, lake in (("month", last_month(whole, said.folder)), ("year", whole)):
        costs = found[name] = measure(lake, said.folder, said.repeat)
        print(line(f"a day added to a {name}", costs.day))
        print(line(f"no day, of a {name}", costs.nothing))
        alone = f"{costs.day_alone(wall):8.2f} s, {costs.day_alone(processor):.2f} s of processor time"
        print(f"{f'the day alone, of a {name}':<44} {alone}  (finding it {costs.plan_seconds:.2f} s)")
        first, second = costs.publish_seconds
        print(f"{f'publish of a {name}, then with one new day':<44} {first:8.2f} s, then {second:.2f} s", end="")
        print(f" ({costs.linked_ratio:.0%} of the day files shared)")
    year, month = found["year"], found["month"]
    print(f"{said.messages:,} messages a year, {os.cpu_count()} cores")
    for of in (wall, processor):
        ratio = year.day_alone(of) / month.day_alone(of)
        print(f"ratio of the day alone, year to month, {of.__name__} time: {ratio:.2f} (aim: below 1.3)")
    print(
        f"ratio of the second publish to the first, of a year: {year.publish_seconds[1] / year.publish_seconds[0]:.2f}"
    )


if __name__ == "__main__":
    main()
