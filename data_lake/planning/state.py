"""What the warehouse remembers of its builds, in its schema `lake`.

Which raw partitions it was built from and as of which day; the days that a build has begun and not ended; the version
that was last published, and the days built since; what models that were built have not passed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from data_lake.layout import Layout
from data_lake.planning.plan import Audit, PartitionKey, Plan
from data_lake.planning.ranges import ALWAYS, Days, ranges_of, span
from data_lake.sql import connect

if TYPE_CHECKING:
    import pyarrow as pa

_StateRow = tuple[str, date, str, str | None]
_TABLES = """
    create schema if not exists lake;
    create table if not exists lake.build (as_of date, fingerprint varchar);
    create table if not exists lake.built (entity varchar, day date, source varchar, fingerprint varchar);
    create table if not exists lake.unfinished (first_day date, last_day date);
    create table if not exists lake.unpublished (first_day date, last_day date);
    create table if not exists lake.audits (model varchar, "check" varchar, primary key (model, "check"));
    create table if not exists lake.publication (version integer);
    create table if not exists lake.unpublished_models (model varchar primary key);
"""


@dataclass(frozen=True)
class BuildState:
    """The last complete build: its clock, models, raw partitions by key; and what is open since.

    `unfinished` are the days of builds that did not end, None for every day.
    """

    as_of: date
    fingerprint: str
    partitions: Mapping[PartitionKey, str]
    unfinished: frozenset[date] | None
    unaudited: frozenset[Audit]


@dataclass(frozen=True)
class Publication:
    """The version that was last published from the warehouse, None before the first; `waiting` are the days built
    since, None for every day, `models` the models built since."""

    version: int | None
    waiting: Days
    models: frozenset[str]


def _open(layout: Layout) -> duckdb.DuckDBPyConnection:
    """The warehouse, for reading. A table it lacks is an error: DuckDB would take a Python object of that name."""
    connection = connect(layout, str(layout.warehouse), read_only=True)
    connection.execute("set python_enable_replacements = false")
    return connection


def read_state(layout: Layout) -> BuildState | None:
    """None for a warehouse that was never built completely, or by a version that remembered less."""
    if not layout.warehouse.exists():
        return None
    with _open(layout) as connection:
        try:
            build = connection.execute("select as_of, fingerprint from lake.build").fetchone()
            if build is None:
                return None
            rows = connection.execute("select entity, day, source, fingerprint from lake.built").fetchall()
            unfinished = _days_of(connection, "unfinished")
            open_audits = _audits_of(connection)
        except duckdb.CatalogException:
            return None
    partitions = {(entity, day, source): fingerprint for entity, day, source, fingerprint in rows}
    return BuildState(build[0], build[1], partitions, unfinished, open_audits)


def _days_of(connection: duckdb.DuckDBPyConnection, table: str) -> frozenset[date] | None:
    """The days of the ranges that a table of schema `lake` holds; None for every day."""
    ranges = connection.execute(f"select first_day, last_day from lake.{table}").fetchall()
    return None if ALWAYS in ranges else frozenset().union(*(span(first, last) for first, last in ranges))


def _audits_of(connection: duckdb.DuckDBPyConnection) -> frozenset[Audit]:
    return frozenset(Audit(*row) for row in connection.execute('select model, "check" from lake.audits').fetchall())


def _unpublished_models(connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute("select model from lake.unpublished_models").fetchall())


def begin_build(layout: Layout, todo: Plan, audits: Iterable[Audit]) -> None:
    """Note, before the first model runs, the days that are half built from now on and what has to be passed."""
    layout.root.mkdir(parents=True, exist_ok=True)
    with connect(layout, str(layout.warehouse)) as connection:
        connection.execute(_TABLES)
        connection.execute("begin")
        for first, last in [ALWAYS] if todo.days is None else todo.days:
            connection.execute("insert into lake.unfinished values (?, ?)", [first, last])
            connection.execute("insert into lake.unpublished values (?, ?)", [first, last])
        for audit in sorted(audits):
            connection.execute("insert or ignore into lake.audits values (?, ?)", list(audit))
            connection.execute("insert or ignore into lake.unpublished_models values (?)", [audit.model])
        connection.execute("commit")


def await_publication(layout: Layout, models: Iterable[str]) -> None:
    """Note models that were built beside a plan, of no days of their own."""
    with connect(layout, str(layout.warehouse)) as connection:
        for model in sorted(models):
            connection.execute("insert or ignore into lake.unpublished_models values (?)", [model])


def end_build(layout: Layout, todo: Plan) -> None:
    """Note, after every model of the plan ran, what the warehouse was built from; a killed build is built again."""
    rows: list[_StateRow] = [(p.entity, p.day, p.source, p.fingerprint) for p in todo.partitions]
    rows += [(*key, None) for key in todo.removed]
    with connect(layout, str(layout.warehouse)) as connection:
        connection.execute("begin")
        connection.execute("delete from lake.build")
        connection.execute("delete from lake.unfinished")
        connection.execute("insert into lake.build values (?, ?)", [todo.as_of, todo.fingerprint])
        if todo.days is None:
            connection.execute("delete from lake.built")
        connection.execute("delete from lake.built where day > ?", [todo.as_of])
        connection.register("_done", _state_table(rows))
        connection.execute(
            """delete from lake.built using _done
            where built.entity = _done.entity and built.day = _done.day and built.source = _done.source"""
        )
        connection.execute("insert into lake.built select * from _done where fingerprint is not null")
        connection.execute("commit")


def _state_table(rows: list[_StateRow]) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * 4
    types = {"entity": pa.string(), "day": pa.date32(), "source": pa.string(), "fingerprint": pa.string()}
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(types.items(), columns, strict=True)})


def end_audit(layout: Layout, audits: Iterable[Audit] | None = None) -> None:
    """Note that these were passed, by default all that are open."""
    with connect(layout, str(layout.warehouse)) as connection:
        if audits is None:
            connection.execute("delete from lake.audits")
            return
        connection.execute("begin")
        for audit in sorted(audits):
            connection.execute('delete from lake.audits where model = ? and "check" = ?', [*audit])
        connection.execute("commit")


def unaudited(layout: Layout) -> frozenset[Audit]:
    """What was not passed since its model was built: to be built and tested though nothing changed."""
    if not layout.warehouse.exists():
        return frozenset()
    with _open(layout) as connection:
        try:
            return _audits_of(connection)
        except duckdb.CatalogException:
            return frozenset()


def built_as_of(layout: Layout) -> date | None:
    """The day the warehouse was last built as of."""
    state = read_state(layout)
    return state.as_of if state else None


def read_publication(layout: Layout) -> Publication:
    """What was published from the warehouse, and what waits for it; nothing of both where there is no warehouse."""
    if not layout.warehouse.exists():
        return Publication(None, (), frozenset())
    with _open(layout) as connection:
        return publication(connection)


def publication(connection: duckdb.DuckDBPyConnection) -> Publication:
    """The same of an open warehouse; of one by a version that remembered less, everything waits."""
    try:
        row = connection.execute("select version from lake.publication").fetchone()
        days = _days_of(connection, "unpublished")
        models = _unpublished_models(connection)
    except duckdb.CatalogException:
        return Publication(None, None, frozenset())
    return Publication(row[0] if row else None, None if days is None else ranges_of(days), models)


def end_publication(connection: duckdb.DuckDBPyConnection, version: int) -> None:
    """Note, in an open warehouse, that this version holds every day and model that was built."""
    connection.execute(_TABLES)
    connection.execute("begin")
    connection.execute("delete from lake.unpublished")
    connection.execute("delete from lake.unpublished_models")
    connection.execute("delete from lake.publication")
    connection.execute("insert into lake.publication values (?)", [version])
    connection.execute("commit")
