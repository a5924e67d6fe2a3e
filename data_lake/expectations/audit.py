"""Checks that contracts cannot say: plausible ranges, usual volume, snapshots that lost nothing, ids that some
snapshot knows.

`check_raw` judges raw/ and `check_tables` the tables about to be published; both keep their results for the pages that
`validation.write_data_docs` builds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import duckdb

from data_lake.contracts import contract
from data_lake.expectations.profiles import Subject, frames, snapshot_frame
from data_lake.expectations.suites import entity_suite, table_suites, worlds
from data_lake.expectations.validation import Validator, forget
from data_lake.expectations.verdicts import Verdict, judge
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.planning.ranges import Days
from data_lake.sql import connect
from data_lake.store import scan

# Tables come from no one source.
WAREHOUSE = "warehouse"


def check_raw(layout: Layout, *, as_of: date, days: Days, entities: Collection[str] | None = None) -> list[Verdict]:
    """Judge entities (None: every one) and sources of raw/ in a window: inclusive ranges of days, None for all up to
    `as_of`.

    An entity without a suite of its own is judged by its volume. Rows after `as_of` do not count. A newest snapshot is
    judged whatever the window; other expectations are left out where the window holds no rows of the entity and source.
    """
    verdicts = []
    validator = Validator(layout, as_of)
    if days is None:
        forget(layout, "raw_")
    sources: dict[str, dict[str, set[str]]] = {}
    for partition in partitions(layout):
        if partition.day <= as_of and (entities is None or partition.entity in entities):
            of_world = sources.setdefault(contract(partition.entity).world, {})
            of_world.setdefault(partition.entity, set()).add(partition.source)
    with connect(layout) as connection:
        for world, by_entity in sources.items():
            _prepare(layout, connection, world, set(by_entity), as_of)
            for entity in sorted(by_entity):
                about, suite = contract(entity), entity_suite(entity)
                subject = Subject(f"raw_{entity}", suite, about.key, about.event_time, has_landing_file=True)
                by_shape = frames(connection, subject, days, as_of)
                if about.catalogue_of:
                    by_shape["snapshots"] = snapshot_frame(
                        connection, about.catalogue_of, subject.relation, days, as_of
                    )
                for source in sorted(by_entity[entity]):
                    verdicts += judge(connection, validator, f"raw/{entity}", source, suite, by_shape)
    return verdicts


def _prepare(
    layout: Layout, connection: duckdb.DuckDBPyConnection, world: str, entities: set[str], as_of: date
) -> None:
    """Make a view `raw_<entity>` of every entity to be judged, and what the world's figures read."""
    suites = worlds().get(world)
    for entity in entities.union(suites.reads if suites else ()):
        scan(layout, entity, connection).create_view(f"raw_{entity}")
    if suites:
        suites.prepare(connection, as_of)


def check_tables(layout: Layout, tables: Mapping[str, str], *, as_of: date, days: Days = None) -> list[Verdict]:
    """Judge tables of the warehouse before they are published; `tables` maps names to relations in it.

    Tables without a suite are skipped. Of tables cut into days only those in the window are read. The warehouse is
    opened for reading: no connection of this process may hold it open for writing.
    """
    verdicts = []
    validator = Validator(layout, as_of)
    suites = table_suites()
    with connect(layout, str(layout.warehouse), read_only=True) as connection:
        for name, relation in tables.items():
            if name not in suites:
                continue
            suite = suites[name]
            # A table may say which source a row is from; it is judged as a whole.
            rows = f"(select '{WAREHOUSE}' as source, columns(lambda c: c <> 'source') from {relation})"
            subject = Subject(rows, suite.expectations, suite.key, suite.event_time, has_landing_file=False)
            by_shape = frames(connection, subject, days, as_of)
            verdicts += judge(connection, validator, name, WAREHOUSE, suite.expectations, by_shape)
    return verdicts
