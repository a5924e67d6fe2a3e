"""Run a lake as the command line does, and read what it published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.lock import LakeLock
from data_lake.planning import TESTS, Audit, Plan, begin_build, end_audit, end_build
from data_lake.sources import source_ranks
from data_lake.store import ensure_readable
from orchestration.assets.marts import dbt_vars
from orchestration.dbt import Build, Dbt, NodeResult
from orchestration.lake_run import Request, run_lake
from orchestration.plans import make_plan, worlds_with_rows
from orchestration.progress import Silent
from orchestration.project import load_manifest
from orchestration.run_summary import RunSummary
from orchestration.window import Window
from orchestration.work import models_to_build

# One dbt for all tests of this process, which loads once; it ends when this process does.
SERVED = Dbt()
UNTESTED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


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


def build(lake: Layout, *, from_day: date | None = None, to_day: date | None = None) -> Plan:
    """The models in the warehouse as a run over raw/ builds them, without Dagster, tests, expectations and publishing.

    What it affects is built: the plan's days, of the models that a run would choose. Compare with `tables`.
    """
    todo = make_plan(lake, Window(from_day, to_day))
    assert todo is not None
    if todo.is_empty:
        return todo
    for entity in load_contracts():
        ensure_readable(lake, entity)
    models = models_to_build(load_manifest(), todo, worlds_with_rows(lake))
    variables = dbt_vars(todo, ())
    audits = [Audit(name, TESTS) for name in models]
    begin_build(lake, todo, audits)
    done, results = dbt(lake, "build", *UNTESTED, "--select", *sorted(models), variables=variables)
    assert done.success, (done.error, {name: r.message for name, r in results.items() if r.status != "success"})
    assert {name.rpartition(".")[2] for name in results} == models
    end_build(lake, todo)
    end_audit(lake, audits)
    return todo


def dbt(
    lake: Layout, *arguments: str, variables: Mapping[str, Any] | None = None
) -> tuple[Build, dict[str, NodeResult]]:
    """dbt on the lake's warehouse, told what a run tells it; returns the results also by node."""
    given = json.dumps({"source_rank": source_ranks(), **(variables or {})})
    done = SERVED.run(lake, [*arguments, "--vars", given], lambda *_: None)
    return done, {result.unique_id.split(".", 2)[-1]: result for result in done.results}


def query(lake: Layout, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on what is published."""
    return _rows(lake.current / "analytics.duckdb", sql)


def query_built(lake: Layout, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query on what is built."""
    return _rows(lake.warehouse, sql)


def _rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


def published(lake: Layout) -> dict[str, list[tuple[Any, ...]]]:
    """Every published table whole, its rows in order."""
    names = [name for (name,) in query(lake, "select view_name from duckdb_views() where not internal order by 1")]
    assert names
    return {name: query(lake, f'select * from "{name}" order by all') for name in names}


def tables(lake: Layout) -> dict[str, list[tuple[Any, ...]]]:
    """Every table of the warehouse whole, its rows in order."""
    names = [name for (name,) in query_built(lake, "select table_name from duckdb_tables() where schema_name = 'main'")]
    assert names
    return {name: query_built(lake, f'select * from "{name}" order by all') for name in sorted(names)}
