"""Checks of what was ingested. Tests of models are dbt's, and become checks in `assets.marts`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pyarrow.parquet as pq

from data_lake.landing import Entry, entries
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from data_lake.sql import connect, literal
from data_lake.store import scan
from orchestration.assets.raw import CHANGED_FROM, CHANGED_TO, of_source, raw_key
from orchestration.metadata import WORST_ROWS, table
from orchestration.resources import LakeResource

ALL_DAYS = ("0001-01-01", "9999-12-31")
RECONCILE, QUARANTINE, READABLE = "rows_reconcile", "nothing_quarantined", "files_were_read"


def raw_checks() -> dg.AssetChecksDefinition:
    """One step that checks every raw asset of the run."""
    keys = [(source, entity) for source in SOURCES.values() for entity in source.entities]
    specs = [spec for source, entity in keys for spec in _specs(raw_key(source.name, entity))]

    @dg.multi_asset_check(name="check_raw", specs=specs, can_subset=True)
    def check_raw(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        layout = lake.layout
        index = entries(layout)
        for key in sorted(context.selected_asset_check_keys):
            _, source, entity = key.asset_key.path
            own = list(of_source(index, source))
            if key.name == RECONCILE:
                days = days_read(context.instance, key.asset_key)
                yield _result(key, reconcile(layout, source, entity, own, days), dg.AssetCheckSeverity.ERROR)
            elif key.name == QUARANTINE:
                yield _result(key, quarantine(layout, source, entity, own), dg.AssetCheckSeverity.WARN)
            else:
                yield _result(key, unread(own), dg.AssetCheckSeverity.WARN)

    return check_raw


def _specs(key: dg.AssetKey) -> Iterator[dg.AssetCheckSpec]:
    yield dg.AssetCheckSpec(
        RECONCILE,
        asset=key,
        blocking=True,
        description="Every row read from a landing file is in raw/, in quarantine/, or gave way to a row with its key.",
    )
    yield dg.AssetCheckSpec(QUARANTINE, asset=key, description="No row broke its contract; says which did, and why.")
    if key.path[-1] == SOURCES[key.path[1]].entities[0]:
        yield dg.AssetCheckSpec(READABLE, asset=key, description="Every landing file of the source was read whole.")


def days_read(instance: dg.DagsterInstance, key: dg.AssetKey) -> tuple[str, str]:
    """The first and the last day that the last reading changed, all days when it does not say."""
    event = instance.get_latest_materialization_event(key)
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    if CHANGED_FROM not in metadata:
        return ALL_DAYS
    return str(metadata[CHANGED_FROM].value), str(metadata[CHANGED_TO].value)


@dataclass(frozen=True)
class Evaluation:
    """Whether a check passed, and what to show."""

    passed: bool
    metadata: Mapping[str, Any]


def _result(key: dg.AssetCheckKey, evaluation: Evaluation, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=evaluation.passed,
        asset_key=key.asset_key,
        check_name=key.name,
        severity=severity,
        metadata=evaluation.metadata,
    )


def reconcile(layout: Layout, source: str, entity: str, index: Iterable[Entry], days: tuple[str, str]) -> Evaluation:
    """Compare the rows the index counts with those in raw/, by landing file and day, between two days inclusive.

    A file may have fewer rows in raw/ than were read from it (another file's row of the same key won), never more;
    and a day of which rows were read is never empty.
    """
    read: Counter[tuple[str, str]] = Counter()
    for entry in index:
        for day, rows in entry.rows.get(entity, {}).items():
            if days[0] <= day <= days[1]:
                read[entry.name, day] += rows
    with connect(layout) as connection:
        scan(layout, entity, connection).create_view("_held")
        counts = connection.execute(
            f"""select landing_file, event_date::varchar, count(*) from _held
            where source = {literal(source)} and event_date::varchar between '{days[0]}' and '{days[1]}' group by all"""
        ).fetchall()
    held = Counter({(name, day): rows for name, day, rows in counts})
    wrong = [
        {"landing_file": name, "day": day, "rows_read": read[name, day], "rows_in_raw": held[name, day]}
        for name, day in held
        if held[name, day] > read[name, day]
    ]
    days_held = {day for _, day in held}
    wrong += [
        {"landing_file": name, "day": day, "rows_read": rows, "rows_in_raw": 0}
        for (name, day), rows in read.items()
        if rows and day not in days_held
    ]
    metadata: dict[str, Any] = {
        "rows_read": read.total(),
        "rows_in_raw": held.total(),
        "rows_replaced": read.total() - held.total(),
    }
    if wrong:
        worst = sorted(wrong, key=lambda row: (-abs(row["rows_in_raw"] - row["rows_read"]), row["day"]))
        metadata["worst_rows"] = table(worst[:WORST_ROWS])
    return Evaluation(not wrong, metadata)


def quarantine(layout: Layout, source: str, entity: str, index: Iterable[Entry]) -> Evaluation:
    """Rows set aside of one source and entity: how many for which reason, and the first of them."""
    reasons: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for entry in index:
        reasons.update(entry.quarantined.get(entity, {}))
        path = layout.quarantine_file(entity, source, entry.name)
        if len(rows) < WORST_ROWS and entry.quarantined.get(entity) and path.exists():
            rows += pq.read_table(path).slice(0, WORST_ROWS - len(rows)).to_pylist()
    metadata: dict[str, Any] = {"rows_quarantined": reasons.total()}
    if reasons:
        metadata["reasons"] = table([{"reason": why, "rows": count} for why, count in reasons.most_common(WORST_ROWS)])
    return Evaluation(not reasons, metadata | ({"worst_rows": table(rows)} if rows else {}))


def unread(index: Iterable[Entry]) -> Evaluation:
    """Landing files that could not be read, or not whole, with the reason and the place."""
    failed = [{"landing_file": e.name, "row": None, "reason": e.error} for e in index if e.error]
    parts = [{"landing_file": e.name, "row": p["row"], "reason": p["reason"]} for e in index for p in e.problems]
    metadata: dict[str, Any] = {"files_failed": len(failed), "parts_unread": sum(e.problem_count for e in index)}
    worst = [*failed, *parts][:WORST_ROWS]
    return Evaluation(not worst, metadata | ({"worst_rows": table(worst)} if worst else {}))
