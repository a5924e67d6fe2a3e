"""Checks that contracts cannot say: plausible ranges, usual volume, snapshots that lost nothing, ids that some
snapshot knows.

`check_raw` judges raw/ and `check_tables` the tables about to be published; both keep their results for the pages that
`write_data_docs` builds. What happens after a finding is the caller's matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from data_lake.contracts import contract
from data_lake.expectations.coverage import know_snapshots
from data_lake.expectations.expectation import VOLUME, Expectation
from data_lake.expectations.findings import Finding, judge
from data_lake.expectations.profiles import Subject, frames, snapshot_frame
from data_lake.expectations.suites import RAW
from data_lake.expectations.table_suites import TABLES, TableSuite
from data_lake.expectations.validation import Validator, forget, preload, write_data_docs
from data_lake.layout import Layout
from data_lake.store import connect, partitions, scan

__all__ = [
    "RAW",
    "TABLES",
    "Expectation",
    "Finding",
    "TableSuite",
    "check_raw",
    "check_tables",
    "preload",
    "write_data_docs",
]

# Tables come from no one source.
WAREHOUSE = "warehouse"


def check_raw(
    layout: Layout,
    *,
    as_of: date,
    days: tuple[tuple[date, date], ...] | None,
    entities: Collection[str] | None = None,
) -> list[Finding]:
    """Judge entities (None: every one) and sources of raw/ in a window: inclusive ranges of days, None for all up to
    `as_of`.

    An entity without a suite of its own is judged by its volume.
    Rows after `as_of` do not count. A newest snapshot is judged whatever the window; other expectations are left out
    where the window holds no rows of the entity and source.
    """
    findings = []
    validator = Validator(layout, as_of)
    if days is None:
        forget(layout, "raw_")
    sources: dict[str, set[str]] = {}
    for partition in partitions(layout):
        if partition.day <= as_of:
            sources.setdefault(partition.entity, set()).add(partition.source)
    with connect(layout) as connection:
        for entity in {*sources, "channels", "streams"}:
            scan(layout, entity, connection).create_view(f"raw_{entity}")
        know_snapshots(connection, as_of)
        for entity in sorted(sources if entities is None else sources.keys() & set(entities)):
            suite = RAW.get(entity, (VOLUME,))
            about = contract(entity)
            subject = Subject(f"raw_{entity}", suite, about.key, about.event_time, has_landing_file=True)
            found = frames(connection, subject, days, as_of)
            if about.catalogue_of:
                found["snapshots"] = snapshot_frame(connection, about.catalogue_of, subject.relation, days, as_of)
            for source in sorted(sources[entity]):
                findings += judge(connection, validator, f"raw/{entity}", source, suite, found)
    return findings


def check_tables(
    layout: Layout, tables: Mapping[str, str], *, as_of: date, days: tuple[tuple[date, date], ...] | None = None
) -> list[Finding]:
    """Judge tables of the warehouse before they are published; `tables` maps names to relations in it.

    Tables without a suite are skipped. Of tables cut into days only those in the window are read. The warehouse is
    opened for reading: no connection of this process may hold it open for writing.
    """
    findings = []
    validator = Validator(layout, as_of)
    with connect(layout, str(layout.warehouse), read_only=True) as connection:
        for name, relation in tables.items():
            suite = TABLES.get(name)
            if suite is None:
                continue
            # A table may say which source a row is from; it is judged as a whole.
            rows = f"(select '{WAREHOUSE}' as source, columns(lambda c: c <> 'source') from {relation})"
            subject = Subject(rows, suite.expectations, suite.key, suite.event_time, has_landing_file=False)
            found = frames(connection, subject, days, as_of)
            findings += judge(connection, validator, name, WAREHOUSE, suite.expectations, found)
    return findings
