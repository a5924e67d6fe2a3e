"""Run a lake as the command line does, and read what it published."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from data_lake.layout import Layout
from data_lake.lock import LakeLock
from orchestration.lake_run import Request, RunSummary, run_lake
from orchestration.progress import Silent


def run(lake: Layout, **bounds: date | str | bool | None) -> RunSummary:
    """One run to its end, without models unless asked for; the lock is given back, as the process' end would."""
    try:
        return run_lake(lake, Request(**{"models": False, **bounds}), Silent())  # type: ignore[arg-type]
    finally:
        LakeLock(lake, "").release()


def run_well(lake: Layout, **bounds: date | str | bool | None) -> RunSummary:
    """A run that must succeed; says which check failed when it does not."""
    summary = run(lake, **bounds)
    assert summary.succeeded, (summary.error, summary.failed_checks)
    return summary


def query(lake: Layout, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on what is published."""
    with duckdb.connect(str(lake.current / "analytics.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def published(lake: Layout) -> dict[str, list[tuple[Any, ...]]]:
    """Every published table whole, its rows in order."""
    names = [name for (name,) in query(lake, "select view_name from duckdb_views() where not internal order by 1")]
    assert names
    return {name: query(lake, f'select * from "{name}" order by all') for name in names}
