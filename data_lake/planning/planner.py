"""The plan of a run: the difference between raw/ and what the warehouse was last built from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from data_lake.layout import Layout
from data_lake.partitions import Partition, partitions
from data_lake.planning.affected import affected
from data_lake.planning.plan import PartitionKey, Plan
from data_lake.planning.ranges import Range, ranges_of, span
from data_lake.planning.state import BuildState, read_state


def observed(layout: Layout) -> Range | None:
    """The first and the last day that raw/ holds rows of, None for an empty lake."""
    return outer_days(partitions(layout))


def outer_days(parts: Iterable[Partition]) -> Range | None:
    """The first and the last day of these partitions, None for none."""
    days = {part.day for part in parts}
    return (min(days), max(days)) if days else None


def _key(part: Partition) -> PartitionKey:
    return part.entity, part.day, part.source


def plan(layout: Layout, fingerprint: str, *, from_day: date | None = None, to_day: date | None = None) -> Plan | None:
    """What to build now; None when raw/ is empty.

    `fingerprint` stands for the models and settings: when it differs from the last build's, every day is built.
    `to_day` alone makes the lake as of that day: later rows do not count. With `from_day` it is a backfill: those days
    are built whether they changed or not, and what was built after them stays. Raises PlanError when the warehouse
    lacks a model that a world's planning reads.
    """
    every = list(partitions(layout))
    raw_days = outer_days(every)
    if raw_days is None:
        return None
    built = read_state(layout)
    as_of = to_day or raw_days[1]
    if from_day and built:
        as_of = max(as_of, built.as_of)
    visible = tuple(part for part in every if part.day <= as_of)
    as_of_moved = built is None or built.as_of != as_of
    unaudited = built.unaudited if built else frozenset()

    def every_day(reason: str) -> Plan:
        return Plan(
            as_of, None, visible, (), fingerprint, reason,
            as_of_moved=as_of_moved, unaudited=unaudited, observed=raw_days,
        )  # fmt: skip

    if built is None:
        return every_day("nothing was built yet")
    if built.fingerprint != fingerprint:
        return every_day("models or settings changed")
    now = {_key(part): part.fingerprint for part in visible}
    last = to_day or raw_days[1]
    wanted = {key for key in now | dict(built.partitions) if from_day is None or from_day <= key[1] <= last}
    changed = {key for key in wanted if now.get(key) != built.partitions.get(key)}
    reach = affected(layout, changed, built, as_of)
    if reach.days is None:
        return every_day(reach.reason)
    # A build that failed or was killed may have left rows of partitions that have changed again since.
    if built.unfinished is None:
        return every_day("the last build of every day did not end")
    days = reach.days | built.unfinished
    if from_day:
        days |= span(from_day, last)
    end = max(as_of, built.as_of)
    return Plan(
        as_of=as_of,
        days=ranges_of(day for day in days if day <= end),
        partitions=tuple(part for part in visible if _key(part) in wanted),
        removed=tuple(sorted(changed - now.keys())),
        fingerprint=fingerprint,
        reason=f"{len(changed)} partitions changed",
        entities=None if from_day else frozenset(entity for entity, _, _ in changed),
        as_of_moved=as_of_moved,
        unaudited=unaudited,
        observed=raw_days,
    )


def stale(parts: Iterable[Partition], built: BuildState | None, fingerprint: str) -> list[PartitionKey]:
    """Those of raw/'s partitions that differ from what the warehouse was built from; `fingerprint` as in `plan`."""
    now = {_key(part): part.fingerprint for part in parts}
    if built is None or built.fingerprint != fingerprint:
        return list(now)
    return sorted(key for key in now | dict(built.partitions) if now.get(key) != built.partitions.get(key))
