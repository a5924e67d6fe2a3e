"""Run a lake as the command line does, and read what it published."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from data_lake.layout import Layout
from data_lake.lock import LakeLock
from orchestration.lake_run import Request, run_lake
from orchestration.progress import Silent
from orchestration.project import DBT, PROJECT
from orchestration.run_summary import RunSummary


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


def dbt(lake: Layout, folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """dbt on the lake's warehouse, its artifacts in `folder`; returns the process and the results by node."""
    where = {"LAKE_ROOT": str(lake.root), "DBT_PROJECT_DIR": str(PROJECT), "DBT_PROFILES_DIR": str(PROJECT)}
    command = [*DBT, "--quiet", *arguments, "--target-path", str(folder)]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **where}, capture_output=True, text=True, check=False
    )
    results = json.loads((folder / "run_results.json").read_text(encoding="utf-8"))["results"]
    return done, {result["unique_id"].split(".", 2)[-1]: result for result in results}


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
