"""What a world adds to the days its contracts name: the part of planning that one kind of audience has of its own.

A world is a module in `planning/worlds`, named as the folder of its contracts, with one `WORLD = World(...)`. A world
without a module has nothing to add.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module

import duckdb

from data_lake.contracts import Contract
from data_lake.errors import LakeError
from data_lake.layout import Layout
from data_lake.planning import worlds as package
from data_lake.planning.ranges import Range
from data_lake.sql import literal, quoted

# UTC day and source of a partition of one entity.
Parts = list[tuple[date, str]]


class PlanError(LakeError):
    """A run cannot be planned; the message says why and what to do."""


@dataclass(frozen=True)
class RawChanges:
    """The partitions of a world that differ from what was built, by entity, and where to look into them.

    In `connection` the models a world reads are views named `built_<model>`.
    """

    layout: Layout
    connection: duckdb.DuckDBPyConnection
    parts: Mapping[str, Parts]
    as_of: date
    as_of_moved: bool


@dataclass(frozen=True)
class World:
    """One world's own planning.

    `models` are the tables of the warehouse it reads, with their columns: every complete build of the world has them.
    `entities` are those whose changes may affect further days; a moved clock may as well. `further_ranges` returns
    these ranges of days, or in words why it is every day.
    """

    models: Mapping[str, tuple[str, ...]]
    entities: frozenset[str]
    further_ranges: Callable[[RawChanges], list[Range] | str]


@cache
def worlds() -> Mapping[str, World]:
    """The worlds that have planning of their own, by name."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return {name: import_module(f"{package.__name__}.{name}").WORLD for name in names}


def attach_models(connection: duckdb.DuckDBPyConnection, name: str, world: World) -> None:
    """Make a temporary view `built_<model>` of every model the world reads.

    Raises PlanError when the warehouse has no such model or column.
    """
    for model, columns in world.models.items():
        attach_model(connection, model, columns, f"worlds/{name}.py")


def attach_model(connection: duckdb.DuckDBPyConnection, model: str, columns: Iterable[str], named_in: str) -> str:
    """Make a temporary view of a model of the attached warehouse; returns its name, `built_<model>`.

    `named_in` is the file of planning/ that names the model. Raises PlanError when the warehouse has no such model or
    column.
    """
    view, wanted = f"built_{model}", tuple(columns)
    try:
        connection.execute(f"create or replace temp view {view} as select {quoted(wanted)} from warehouse.main.{model}")
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        reason = str(error).splitlines()[0]
        raise PlanError(
            f"the warehouse was built without the model {model} ({', '.join(wanted)}), which says how far a "
            f"change affects it: if the model was renamed, rename it in data_lake/planning/{named_in}; if "
            f"its table was dropped, 'fullhouse run --rebuild warehouse' builds it again ({reason})"
        ) from error
    return view


def in_parts(parts: Iterable[tuple[date, str]]) -> str:
    """SQL: the row lies in one of these partitions."""
    listed = ", ".join(f"(date '{day}', {literal(source)})" for day, source in sorted(parts))
    return f"(event_date, source) in ({listed})"


def differing_sql(contract: Contract, columns: Iterable[str], rows: str, parts: Parts, as_of: date) -> str:
    """SQL: the snapshots in these partitions that differ in one of the columns from the snapshot before of their key.

    `rows` is a relation of all partitions of the entity. A first snapshot differs from none before it.
    """
    compared = tuple(columns)
    key = [name for name in contract.key if name not in (contract.event_time, *compared)]
    return f"""select * from (
            select *,
                hash({quoted(compared)}) is distinct from
                lag(hash({quoted(compared)})) over (partition by {quoted(key)} order by "{contract.event_time}")
                as is_different
            from {rows} where event_date <= date '{as_of}'
        ) where is_different and {in_parts(parts)}"""


def any_row(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a query returns a row."""
    return connection.execute(f"select 1 from ({query}) limit 1").fetchone() is not None
