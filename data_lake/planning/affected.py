"""The days whose facts changed raw partitions can alter: what the contracts say, and what the worlds add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from data_lake.contracts import load_contracts
from data_lake.layout import Layout
from data_lake.planning.keys import partitions_sharing_ids
from data_lake.planning.plan import PartitionKey
from data_lake.planning.ranges import span
from data_lake.planning.state import BuildState
from data_lake.planning.world import (
    Parts,
    PlanError,
    RawChanges,
    any_row,
    attach_models,
    differing_sql,
    worlds,
)
from data_lake.sql import connect, literal


@dataclass(frozen=True)
class Affected:
    """Days to build; None for every day, with the reason in words."""

    days: set[date] | None
    reason: str = ""


def affected(layout: Layout, changed: set[PartitionKey], built: BuildState, as_of: date) -> Affected:
    """The days whose facts the changed partitions can alter, and the move of the clock from `built.as_of` to `as_of`.

    Raises PlanError when the warehouse lacks a model that a world reads.
    """
    as_of_moved = as_of != built.as_of
    if not changed and not as_of_moved:
        return Affected(set())  # the worlds' own parts take half a second to import
    contracts = load_contracts()
    built_worlds = {contracts[entity].world for entity, _, _ in built.partitions if entity in contracts}
    parts: dict[str, Parts] = {}
    for entity, day, source in sorted(changed):
        if entity not in contracts:
            return Affected(None, f"{entity} is an entity no more")
        world = contracts[entity].world
        if world not in built_worlds:
            return Affected(None, f"first rows of the {world} world")
        reach = contracts[entity].affected_days
        if reach.interval_if_changed and world not in worlds():
            raise PlanError(
                f"{entity}.yml says interval_if_changed, and nothing says which interval: "
                f"data_lake/planning/worlds/{world}.py is missing"
            )
        # A snapshot is compared with the one before it: where that one is another now, nothing says what it was.
        if (reach.interval_if_changed or reach.all_if_changed) and (entity, day, source) in built.partitions:
            return Affected(None, f"earlier snapshots of {entity} changed")
        parts.setdefault(entity, []).append((day, source))
    asked = {
        name: own
        for name, own in worlds().items()
        if name in built_worlds and (as_of_moved or own.entities & parts.keys())
    }
    compared = [entity for entity in parts if contracts[entity].affected_days.all_if_changed]
    has_ids = any(contracts[entity].has_ids for entity in parts)
    if not asked and not compared and not has_ids:
        return Affected(_neighbours(parts))
    # Here: pyarrow takes a quarter of a second to import, and a lake without changes gets by without it.
    from data_lake.store import scan

    with connect(layout) as connection:
        for entity in compared:
            columns = contracts[entity].affected_days.all_if_changed
            scan(layout, entity, connection).create_view("_snapshots", replace=True)
            if any_row(connection, differing_sql(contracts[entity], columns, "_snapshots", parts[entity], as_of)):
                return Affected(None, f"{' or '.join(columns)} of {entity} changed")
        if asked or has_ids:
            connection.execute(f"attach {literal(str(layout.warehouse))} as warehouse (read_only)")
        for entity, sharing in partitions_sharing_ids(layout, connection, parts).items():
            parts[entity] += sharing
        days = _neighbours(parts)
        for name, own in asked.items():
            attach_models(connection, name, own)
            ranges = own.further_ranges(RawChanges(layout, connection, parts, as_of, as_of_moved))
            if isinstance(ranges, str):
                return Affected(None, ranges)
            for first, last in ranges:
                days |= span(first, last)
    return Affected(days)


def _neighbours(parts: Mapping[str, Parts]) -> set[date]:
    """The days of these partitions, by entity, and those that the contracts say their rows reach."""
    days: set[date] = set()
    for entity, changed in parts.items():
        reach = load_contracts()[entity].affected_days
        for day, _ in changed:
            days |= span(day - timedelta(reach.before), day + timedelta(reach.after))
    return days
