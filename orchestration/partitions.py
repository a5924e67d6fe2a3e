"""Months as Dagster shows them: the partitions, the tags of a run, months found out about while running.

Which days are built is decided by `data_lake.planning`, day by day. Months are what the UI draws and what a backfill is
started over; exact days are the tags `fullhouse/from` and `fullhouse/to` (docs/decisions/partitions.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from orchestration.window import CHANGED, FROM, PARTITION, TO, WINDOW, Window

# No row of raw/ is older: its contract would refuse it.
FIRST_DAY = date(2000, 1, 1)


def monthly() -> dg.MonthlyPartitionsDefinition:
    """UTC months from FIRST_DAY to this one: an export made today has rows of today."""
    return dg.MonthlyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), end_offset=1)


def months(days: Iterable[date]) -> list[str]:
    """The keys of the partitions that these days lie in, in order."""
    today = datetime.now(UTC).date()
    return sorted({day.replace(day=1).isoformat() for day in set(days) if FIRST_DAY <= day <= today})


def run_tags(days: Iterable[date], window: Window | None = None) -> dict[str, str]:
    """The tags of a run over these days, asked for or changed: it stands for the last month among them.

    What it finds out about other months is marked by the steps that do (`report_months`): Dagster would store an event
    for every asset and month of a range, also for assets that have no partitions.
    """
    window = window or Window()
    asked = [day for day in (window.from_day, window.to_day) if day]
    drawn = months([*asked, *(day for day in days if window.holds(day))]) or months([datetime.now(UTC).date()])
    tags = {PARTITION: drawn[-1], WINDOW: CHANGED}
    tags |= {FROM: window.from_day.isoformat()} if window.from_day else {}
    return tags | ({TO: window.to_day.isoformat()} if window.to_day else {})


def report_months(
    context: dg.AssetExecutionContext, key: dg.AssetKey, days: Iterable[date], metadata: Mapping[str, Any]
) -> None:
    """Mark months outside the run's own as materialized, for an asset kept by month."""
    own = set(context.partition_keys)
    for month in months(days):
        if month not in own:
            context.instance.report_runless_asset_event(
                dg.AssetMaterialization(key, partition=month, metadata={**metadata, "run": context.run_id})
            )
