"""Days as Dagster sees them: the partitions, the days a run stands for, days it found out about while running.

Which days are built is decided by `data_lake.planning`; what is here only decides what the UI shows.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from dagster._core.events import (
    DagsterEvent,
    DagsterEventBatchMetadata,
    DagsterEventType,
    StepMaterializationData,
    generate_event_batch_id,
)

from data_lake import landing, planning
from data_lake.layout import Layout

# The UI draws every day since, and Dagster counts through them: ten years of days are quick, thirty are not. Older
# data is built all the same, it is only not drawn; FULLHOUSE_FIRST_DAY moves the start.
FIRST_DAY = date.fromisoformat(os.environ.get("FULLHOUSE_FIRST_DAY", "2016-01-01"))

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
# A run with this tag builds what changed since the last build; one without it was asked for the days it is tagged
# with (a backfill) and builds them whether they changed or not.
WINDOW, CHANGED, ASKED = "fullhouse/window", "changed", "asked"
FROM, TO = "fullhouse/from", "fullhouse/to"


def daily() -> dg.DailyPartitionsDefinition:
    """UTC days from FIRST_DAY to today: an export made today has rows of today."""
    return dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), end_offset=1)


def drawn(found: Iterable[date]) -> list[date]:
    """The days among these that are partitions, in order."""
    today = datetime.now(UTC).date()
    return sorted(day for day in set(found) if FIRST_DAY <= day <= today)


@dataclass(frozen=True)
class Window:
    """The days a person asked for; both None: whatever changed."""

    from_day: date | None = None
    to_day: date | None = None

    def holds(self, day: date) -> bool:
        return (self.from_day is None or day >= self.from_day) and (self.to_day is None or day <= self.to_day)

    @classmethod
    def of(cls, run: dg.DagsterRun) -> Window:
        """The window of a Dagster run, from its tags."""
        tags = run.tags
        if WINDOW in tags:
            return cls(_day(tags.get(FROM)), _day(tags.get(TO)))
        one = tags.get("dagster/partition")
        return cls(_day(tags.get(RANGE_START, one)), _day(tags.get(RANGE_END, one)))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def run_tags(layout: Layout, fingerprint: str, window: Window | None = None) -> dict[str, str]:
    """The tags of a run over these days: those asked for, else those that new files and changed partitions concern.

    New files count with the first_day and last_day of their sidecars. Days of files that state none are marked when
    the run has read them (`report_days`).
    """
    window = window or Window()
    asked = {day for day in (window.from_day, window.to_day) if day}
    shown = drawn(asked | {day for day in _concerned(layout, fingerprint, window) if window.holds(day)})
    shown = shown or [datetime.now(UTC).date()]
    tags = {RANGE_START: shown[0].isoformat(), RANGE_END: shown[-1].isoformat(), WINDOW: ASKED if asked else CHANGED}
    tags |= {FROM: window.from_day.isoformat()} if window.from_day else {}
    return tags | ({TO: window.to_day.isoformat()} if window.to_day else {})


def _concerned(layout: Layout, fingerprint: str, window: Window) -> set[date]:
    """The outermost days that are known, before anything is read, to change."""
    waiting = landing.new_files(layout)
    found = set(_stated(waiting, "first_day", "last_day"))
    planned = planning.plan(layout, fingerprint, from_day=window.from_day, to_day=window.to_day)
    span = planning.observed(layout)
    if planned and span:
        found |= {day for pair in (planned.days if planned.days is not None else [span]) for day in pair}
    # Nothing known to change: the run still stands for a day. An export is mostly made soon after what it holds.
    return found or ({span[1]} if span else set(_stated(waiting, "exported_at")))


def _stated(files: Iterable[landing.LandingFile], *keys: str) -> Iterable[date]:
    """Days that the sidecars of landing files state under these keys."""
    for file in files:
        try:
            sidecar = landing.read_sidecar(landing.sidecar_path(file.path))
            yield from [_as_day(sidecar[key]) for key in keys if key in sidecar]
        except ValueError:
            continue  # the ingest reports the sidecar with its file


def _as_day(said: Any) -> date:
    if isinstance(said, datetime):
        return said.date()
    return said if isinstance(said, date) else date.fromisoformat(str(said)[:10])


def report_days(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    found: Iterable[date],
    metadata: Mapping[str, Any],
) -> None:
    """Mark days outside the run's own range as materialized, for an asset kept by day."""
    tags = context.run.tags
    first, last = tags.get(RANGE_START, ""), tags.get(RANGE_END, "")
    outside = [day for day in drawn(found) if not first <= day.isoformat() <= last]
    batch = generate_event_batch_id()  # type: ignore[no-untyped-call]
    for place, day in enumerate(outside, start=1):
        event = DagsterEvent(
            event_type_value=DagsterEventType.ASSET_MATERIALIZATION.value,
            job_name=context.job_name,
            step_key=context.op_execution_context.op.name,
            message=f"Materialized {day} of {key.to_user_string()}.",
            event_specific_data=StepMaterializationData(
                dg.AssetMaterialization(key, partition=day.isoformat(), metadata=metadata)
            ),
        )
        end = DagsterEventBatchMetadata(batch, place == len(outside))
        context.instance.report_dagster_event(event, context.run_id, logging.DEBUG, batch_metadata=end)
