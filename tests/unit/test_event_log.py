"""The bulk event log: what the UI reads back is what the stock class would hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.event_log import BatchingSqliteEventLogStorage

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-01")
RANGE = {"dagster/asset_partition_range_start": "2026-01-05", "dagster/asset_partition_range_end": "2026-01-16"}
PLANNED = "ASSET_MATERIALIZATION_PLANNED"
STOCK: dict[str, Any] = {}
BULK = {
    "event_log_storage": {
        "module": "orchestration.event_log",
        "class": "BatchingSqliteEventLogStorage",
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


def test_the_ui_sees_the_same_partitions_as_with_the_stock_event_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = run_twice(tmp_path / "stock", STOCK, monkeypatch)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "7")
    bulk = run_twice(tmp_path / "bulk", BULK, monkeypatch)
    assert bulk.pop("class") is BatchingSqliteEventLogStorage
    assert stock.pop("class") is not BatchingSqliteEventLogStorage
    assert len(bulk["messages"]["partitions"]) == 12
    assert bulk["broken"]["unfinished"] == bulk["messages"]["partitions"]
    # Dagster plans the days of a run also for an asset that has none: of those the bulk log holds nothing.
    days = bulk["messages"]["partitions"]
    assert (stock["dim"].pop("planned"), bulk["dim"].pop("planned")) == (days, set())
    assert (stock["dim"].pop("unfinished"), bulk["dim"].pop("unfinished")) == (days, set())
    for number in range(2):
        stock[f"log {number}"] -= Counter({(PLANNED, "build", day): 1 for day in days})
        bulk[f"log {number}"] -= Counter({(PLANNED, "build", None): 1})
        seen = [log[f"partitions of run {number}"].pop(dg.AssetKey("dim")) for log in (stock, bulk)]
        assert seen == [{None, *days}, {None}]
    assert bulk == stock


def test_a_stock_instance_reads_what_the_bulk_log_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2000")
    run_twice(tmp_path / "home", BULK, monkeypatch)
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        assert len(instance.get_materialized_partitions(dg.AssetKey("fct"))) == 12


def test_events_outside_a_batch_are_stored_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    seen = run_twice(tmp_path / "bulk", BULK, monkeypatch)
    assert len(seen["samples"]["partitions"]) == 12
    assert seen["samples"]["events"] == 24
