"""Which days a run has to build: the difference between raw/ and what the warehouse was last built from.

The warehouse remembers, in its own schema `lake`, each raw partition it was built from, the date it was built as of,
and the days that were built and not yet published. How far a changed partition reaches (see `reach`) and what is done
on those days does not belong here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from data_lake.layout import Layout
from data_lake.planning.worlds.live import ALL_DAYS_ENTITIES, INTERVAL_ENTITIES, PartitionKey, Range, affected, span
from data_lake.store import Partition, connect, partitions

StateRow = tuple[str, date, str, str | None]


@dataclass(frozen=True)
class Plan:
    """What a run builds.

    `days` are inclusive ranges of UTC days, in order; None means every day up to `as_of` (and a warehouse to be built
    from nothing). `partitions` are the raw partitions that count as built afterwards, `removed` the keys of those
    that no longer exist.
    """

    as_of: date
    days: tuple[Range, ...] | None
    partitions: tuple[Partition, ...]
    removed: tuple[PartitionKey, ...]
    fingerprint: str
    reason: str

    @property
    def is_empty(self) -> bool:
        return self.days == ()

    def covers(self, day: date) -> bool:
        return self.days is None or any(first <= day <= last for first, last in self.days)


def observed(layout: Layout) -> Range | None:
    """The first and the last day that raw/ holds rows of, None for an empty lake."""
    days = {p.day for p in partitions(layout)}
    return (min(days), max(days)) if days else None


def plan(layout: Layout, fingerprint: str, *, from_day: date | None = None, to_day: date | None = None) -> Plan | None:
    """What to build now; None when raw/ is empty.

    `fingerprint` stands for the models and settings: when it differs from the last build's, every day is built.
    `to_day` alone makes the lake as of that day: later rows do not count. With `from_day` it is a backfill: those days
    are built whether they changed or not, and what was built after them stays.
    """
    seen = observed(layout)
    if seen is None:
        return None
    built = _read_state(layout)
    as_of = to_day or seen[1]
    if from_day and built:
        as_of = max(as_of, built.as_of)
    visible = [p for p in partitions(layout) if p.day <= as_of]
    if built is None or built.fingerprint != fingerprint:
        reason = "nothing was built yet" if built is None else "models or settings changed"
        return Plan(as_of, None, tuple(visible), (), fingerprint, reason)
    now = {(p.entity, p.day, p.source): p.fingerprint for p in visible}
    last = to_day or seen[1]
    wanted = {k for k in now | built.partitions if from_day is None or from_day <= k[1] <= last}
    changed = {k for k in wanted if now.get(k) != built.partitions.get(k)}
    replaced = {k for k in changed if k in built.partitions}
    if any(entity in INTERVAL_ENTITIES + ALL_DAYS_ENTITIES for entity, _, _ in replaced):
        return Plan(as_of, None, tuple(visible), (), fingerprint, "earlier snapshots of streams or owners changed")
    days, why = affected(layout, changed, as_of, built.as_of)
    if days is None:
        return Plan(as_of, None, tuple(visible), (), fingerprint, why)
    if from_day:
        days |= span(from_day, last)
    # A build that failed or was killed may have left rows of partitions that have changed again since.
    if built.unfinished is None:
        return Plan(as_of, None, tuple(visible), (), fingerprint, "the last build of every day did not end")
    days |= built.unfinished
    end = max(as_of, built.as_of)
    kept = {d for d in days if d <= end}
    done = tuple(p for p in visible if (p.entity, p.day, p.source) in wanted)
    removed = tuple(sorted(changed - now.keys()))
    return Plan(as_of, _ranges(kept), done, removed, fingerprint, f"{len(changed)} partitions changed")


def _ranges(days: Iterable[date]) -> tuple[Range, ...]:
    ranges: list[Range] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == timedelta(1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return tuple(ranges)


@dataclass(frozen=True)
class _State:
    as_of: date
    fingerprint: str
    partitions: dict[tuple[str, date, str], str]
    unfinished: set[date] | None


def _read_state(layout: Layout) -> _State | None:
    if not layout.warehouse.exists():
        return None
    with connect(layout, str(layout.warehouse), read_only=True) as connection:
        try:
            build = connection.execute("select as_of, fingerprint from lake.build").fetchone()
            if build is None:
                return None
            rows = connection.execute("select entity, day, source, fingerprint from lake.built").fetchall()
            unfinished = _days_of(connection, "unfinished")
        except duckdb.CatalogException:
            return None
    return _State(build[0], build[1], {(entity, day, source): mark for entity, day, source, mark in rows}, unfinished)


def _days_of(connection: duckdb.DuckDBPyConnection, table: str) -> set[date] | None:
    """The days of the ranges a table of our schema holds; None for every day."""
    rows = connection.execute(f"select first_day, last_day from lake.{table}").fetchall()
    return None if _EVER in rows else {day for first, last in rows for day in span(first, last)}


_STATE_TABLES = """
    create schema if not exists lake;
    create table if not exists lake.build (as_of date, fingerprint varchar);
    create table if not exists lake.built (entity varchar, day date, source varchar, fingerprint varchar);
    create table if not exists lake.unfinished (first_day date, last_day date);
    create table if not exists lake.unpublished (first_day date, last_day date);
    create table if not exists lake.publication (version integer);
"""
_EVER: Range = (date(1, 1, 1), date(9999, 12, 31))


def begin_build(layout: Layout, todo: Plan) -> None:
    """Note, before the first model runs, which days are half built from now on and differ from what is published."""
    layout.root.mkdir(parents=True, exist_ok=True)
    with connect(layout, str(layout.warehouse)) as connection:
        connection.execute(_STATE_TABLES)
        rows = [_EVER] if todo.days is None else list(todo.days)
        if rows:
            connection.executemany("insert into lake.unfinished values (?, ?)", rows)
            connection.executemany("insert into lake.unpublished values (?, ?)", rows)


def end_build(layout: Layout, todo: Plan) -> None:
    """Note, after every model ran, what the warehouse was built from; a killed build is built again."""
    with connect(layout, str(layout.warehouse)) as connection:
        connection.execute("begin")
        connection.execute("delete from lake.build")
        connection.execute("delete from lake.unfinished")
        connection.execute("insert into lake.build values (?, ?)", [todo.as_of, todo.fingerprint])
        if todo.days is None:
            connection.execute("delete from lake.built")
        connection.execute("delete from lake.built where day > ?", [todo.as_of])
        rows: list[StateRow] = [(p.entity, p.day, p.source, p.fingerprint) for p in todo.partitions]
        rows += [(*key, None) for key in todo.removed]
        connection.register("_done", _state_table(rows))
        connection.execute(
            """delete from lake.built using _done
            where built.entity = _done.entity and built.day = _done.day and built.source = _done.source"""
        )
        connection.execute("insert into lake.built select * from _done where fingerprint is not null")
        connection.execute("commit")


def _state_table(rows: list[StateRow]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * 4
    types = {"entity": pa.string(), "day": pa.date32(), "source": pa.string(), "fingerprint": pa.string()}
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(types.items(), columns, strict=True)})


def stale(layout: Layout, fingerprint: str) -> list[tuple[str, date, str]]:
    """Raw partitions that differ from what the warehouse was built from, up to the date it was built as of."""
    built = _read_state(layout)
    if built is None or built.fingerprint != fingerprint:
        return [(p.entity, p.day, p.source) for p in partitions(layout)]
    now = {(p.entity, p.day, p.source): p.fingerprint for p in partitions(layout)}
    return sorted(k for k in now | built.partitions if now.get(k) != built.partitions.get(k))


def built_as_of(layout: Layout) -> date | None:
    """The date the warehouse was last built as of."""
    built = _read_state(layout)
    return built.as_of if built else None


def unpublished(layout: Layout) -> tuple[Range, ...] | None:
    """The days that were built and are not published yet, as inclusive ranges in order; None for every day."""
    if not layout.warehouse.exists():
        return ()
    with connect(layout, str(layout.warehouse), read_only=True) as connection:
        days = _days_of(connection, "unpublished")
    return None if days is None else _ranges(days)
