"""What a world expects of its entities and tables, and how its part is found.

A world is a package beside this module, named as the folder of its contracts, with one `SUITES = WorldSuites(...)`. Of
a world without one only the volume of its entities is judged.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module

import duckdb

from data_lake.contracts import contract
from data_lake.expectations.expectation import VOLUME, Expectation

Suite = tuple[Expectation, ...]


@dataclass(frozen=True)
class TableSuite:
    """The expectations of one table, the columns that name a row, and the time by which it is cut into UTC days."""

    key: tuple[str, ...]
    event_time: str | None
    expectations: Suite


@dataclass(frozen=True)
class WorldSuites:
    """The expectations of one world.

    Checks of raw/ hang on the published table `raw_checks_on`, which every entity of the world leads to. `prepare`
    makes, from the relations `raw_<entity>` of the entities in `reads`, the temporary tables that figures need, and
    `channel_names` (platform, channel_id, name), by which snapshots name what they lost.
    """

    entities: Mapping[str, Suite]
    tables: Mapping[str, TableSuite]
    raw_checks_on: str
    reads: tuple[str, ...]
    prepare: Callable[[duckdb.DuckDBPyConnection, date], None]


@cache
def worlds() -> Mapping[str, WorldSuites]:
    """The worlds that expect anything, by name."""
    package = __name__.rpartition(".")[0]
    folder = import_module(package).__path__
    names = [module.name for module in pkgutil.iter_modules(folder) if module.ispkg]
    return {name: import_module(f"{package}.{name}").SUITES for name in names}


def entity_suite(entity: str) -> Suite:
    """What is expected of an entity; of one without a suite of its own its volume."""
    world = worlds().get(contract(entity).world)
    return world.entities.get(entity, (VOLUME,)) if world else (VOLUME,)


def table_suites() -> dict[str, TableSuite]:
    """What is expected of tables about to be published, by name."""
    return {name: suite for world in worlds().values() for name, suite in world.tables.items()}
