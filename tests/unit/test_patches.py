"""Patches of private interfaces: they do what the stock ones do, and what they hold on to is still there."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orchestration.patches import dbt_internals
from orchestration.patches.event_log import OpenSqliteEventLogStorage

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-01")
RANGE = {"dagster/asset_partition_range_start": "2026-01-05", "dagster/asset_partition_range_end": "2026-01-16"}
STOCK: dict[str, Any] = {}
OPEN = {
    "event_log_storage": {
        "module": "orchestration.patches.event_log",
        "class": "OpenSqliteEventLogStorage",
        "config": {"home": {"env": "EVENT_LOG_HOME"}},
    }
}


def lake_like() -> dg.Definitions:
    """Assets by day and whole, in one step and across steps, with a check, and one that fails."""

    @dg.multi_asset(
        specs=[dg.AssetSpec(name, partitions_def=DAYS) for name in ("messages", "samples")],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def read() -> Iterator[dg.MaterializeResult[Any]]:
        for name in ("messages", "samples"):
            yield dg.MaterializeResult(name, metadata={"rows": 3})

    @dg.asset_check(asset="messages", blocking=True)
    def reconciles() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True, metadata={"rows": 3})

    @dg.multi_asset(
        specs=[dg.AssetSpec("fct", deps=["messages"], partitions_def=DAYS), dg.AssetSpec("dim", deps=["samples"])],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def build() -> Iterator[dg.MaterializeResult[Any]]:
        yield dg.MaterializeResult("fct")
        yield dg.MaterializeResult("dim", metadata={"rows": 7})

    @dg.asset(partitions_def=DAYS, deps=["fct"], backfill_policy=dg.BackfillPolicy.single_run())
    def broken() -> None:
        raise ValueError("no")

    job = dg.define_asset_job("everything")
    assets = [read, build, broken]
    return dg.Definitions(assets=assets, asset_checks=[reconciles], jobs=[job], executor=dg.in_process_executor)


def run_twice(folder: Path, overrides: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everything the UI asks about two runs of the same days."""
    folder.mkdir()
    monkeypatch.setenv("EVENT_LOG_HOME", str(folder))
    seen: dict[str, Any] = {}
    with dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance:
        job = lake_like().resolve_job_def("everything")
        runs = [job.execute_in_process(instance=instance, tags=RANGE, raise_on_error=False).run_id for _ in range(2)]
        log = instance.event_log_storage
        seen["class"] = type(log)
        for name in ("messages", "samples", "fct", "dim", "broken"):
            key = dg.AssetKey(name)
            planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
            materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
            record = instance.get_asset_records([key])[0].asset_entry
            seen[name] = {
                "partitions": instance.get_materialized_partitions(key),
                "planned": set(log.get_latest_storage_id_by_partition(key, planned)),
                "unfinished": set(
                    log.get_latest_asset_partition_materialization_attempts_without_materializations(key)
                ),
                "last_run": runs.index(record.last_run_id or ""),
                "has_last": record.last_materialization is not None,
                "events": len(instance.fetch_materializations(key, limit=1000).records),
                "tagged": set(log.get_latest_tags_by_partition(key, materialized, ["dagster/data_version"])),
                "last_partition": record.last_materialization and record.last_materialization.dagster_event.partition,
                "last_is_latest": record.last_materialization_record
                and record.last_materialization_storage_id
                == max(log.get_latest_storage_id_by_partition(key, materialized).values(), default=None),
            }
        for number, run_id in enumerate(runs):
            events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event]
            seen[f"log {number}"] = Counter((e.event_type_value, e.step_key, e.partition) for e in events)
            seen[f"partitions of run {number}"] = log.get_asset_partitions_for_run(run_id)
            seen[f"stats {number}"] = instance.get_run_stats(run_id).materializations
        check = dg.AssetCheckKey(dg.AssetKey("messages"), "reconciles")
        history = log.get_asset_check_execution_history(check, limit=10)
        seen["checks"] = [(record.status, runs.index(record.run_id), record.partition) for record in history]
    return seen


def test_the_ui_sees_the_same_as_with_the_stock_event_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = run_twice(tmp_path / "stock", STOCK, monkeypatch)
    kept_open = run_twice(tmp_path / "open", OPEN, monkeypatch)
    assert kept_open.pop("class") is OpenSqliteEventLogStorage
    assert stock.pop("class") is not OpenSqliteEventLogStorage
    assert kept_open == stock


def test_a_stock_instance_reads_what_the_open_log_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_twice(tmp_path / "home", OPEN, monkeypatch)
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        assert len(instance.get_materialized_partitions(dg.AssetKey("fct"))) == 12


def test_dagster_still_opens_its_event_log_where_we_keep_it_open() -> None:
    signature = str(inspect.signature(SqliteEventLogStorage._connect))
    assert signature == "(self, shard: str) -> collections.abc.Iterator[sqlalchemy.engine.base.Connection]", (
        "Dagster opens the connections of its event log elsewhere: see orchestration/patches/event_log.py"
    )
    for method in ("run_connection", "index_connection"):
        assert "_connect" in inspect.getsource(getattr(SqliteEventLogStorage, method)), f"{method} goes another way"


def in_dbt(code: str) -> str:
    """What this prints in a process that has our module of dbt's internals."""
    script = f"import sys; sys.path.insert(0, sys.argv[1]); import dbt_internals\n{code}"
    folder = str(Path(dbt_internals.__file__).parent)
    command = [sys.executable, "-c", script, folder]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_dbt_drops_events_below_every_level_before_it_makes_a_message() -> None:
    code = """
from io import StringIO
dbt_internals.drop_events_early()
from dbt_common.events.types import Formatting, SystemExecutingCmd
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import add_logger_to_manager
from dbt_common.events.functions import fire_event
from dbt_common.events.logger import LineFormat, LoggerConfig
import dbt_common.events.event_manager as manager
made = []
original = manager.msg_from_base_event
manager.msg_from_base_event = lambda *a, **k: made.append(a) or original(*a, **k)
out = StringIO()
config = LoggerConfig(name="x", level=EventLevel.INFO, line_format=LineFormat.PlainText, output_stream=out)
add_logger_to_manager(config)
fire_event(Formatting("low"), level=EventLevel.DEBUG)
low = len(made)
fire_event(Formatting("high"), level=EventLevel.INFO)
empty = SystemExecutingCmd(cmd=["ls"])
dbt_internals.drop_events_early()
full = SystemExecutingCmd(cmd=["ls"])  # no log yet: nothing is dropped
print(low, len(made), "high" in out.getvalue(), list(empty.cmd), list(full.cmd))
"""
    assert in_dbt(code) == "0 1 True [] ['ls']", (
        "dbt fires its events another way: see orchestration/patches/dbt_internals.py"
    )


def test_dbts_adapter_still_keeps_the_warehouse_where_we_close_it(tmp_path: Path) -> None:
    code = f"""
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb import environments
path = {str(tmp_path / "warehouse.duckdb")!r}
DuckDBConnectionManager._ENV = environments.create(DuckDBCredentials(database="warehouse", schema="main", path=path))
handle = DuckDBConnectionManager.env().handle()
del handle
dbt_internals.close_warehouse()
import subprocess, sys
other = f"import duckdb; duckdb.connect({{path!r}}).execute('create table t (i int)')"
print(subprocess.run([sys.executable, "-c", other]).returncode)
"""
    assert in_dbt(code) == "0", "the adapter keeps the warehouse open elsewhere: see patches/dbt_internals.py"
