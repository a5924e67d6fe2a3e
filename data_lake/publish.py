"""The published zone: numbered versions, switched over in one atomic step.

A version is a directory of Parquet files and an analytics.duckdb of views on them. Tables that were not built
since, and such days of facts kept by day, share their files with the version before through hard links. Which tables
are published, and whether the audit lets them, is decided elsewhere.

Files of a version are read-only: the operating system refuses a client that opens them to write.
Folders are not, so that versions can be removed and lakes moved.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from data_lake.documents import read_json, to_json
from data_lake.errors import LakeError
from data_lake.files import replace_file
from data_lake.layout import DATABASE, EMPTY_PARTITION, MANIFEST, Layout
from data_lake.planning import Publication, end_publication, publication, read_publication
from data_lake.planning.ranges import Days, covers
from data_lake.sql import connect, literal
from data_lake.views import comment, create_views

KEEP_VERSIONS = 5
KEEP_AGE = timedelta(hours=24)
READ_ONLY, WRITABLE = 0o444, 0o222


class PublishError(LakeError):
    """A version cannot be published, found or switched to; the message says what to do."""


@dataclass(frozen=True)
class Table:
    """A table to publish: its relation in the warehouse, what it means, and whether it is kept by day."""

    name: str
    relation: str
    description: str
    columns: dict[str, str]
    by_day: bool = False


@dataclass
class Version:
    """One published version, as its version.json says.

    `is_scored`: its insights are made from its own marts. `root` is the lake that its views point into; versions from
    before it was noted say nothing.
    """

    number: int
    as_of: date
    created_at: datetime
    run_id: str
    rows: dict[str, int] = field(default_factory=dict)
    by_day: list[str] = field(default_factory=list)
    descriptions: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    is_scored: bool = False
    root: str = ""


def publish(
    layout: Layout, tables: Sequence[Table], *, as_of: date, run_id: str, created_at: datetime, is_scored: bool = False
) -> Version:
    """Write the next version from the warehouse and make it current; returns it.

    Nothing a reader sees changes before the last step. Raises PublishError when there is nothing to publish.
    """
    if not tables:
        raise PublishError("no tables to publish: build the marts first (fullhouse run)")
    number = max((_number(p) for p in _folders(layout)), default=0) + 1
    version = Version(number, as_of, created_at, run_id, is_scored=is_scored)
    building = layout.published / f".building-{number:06d}"
    for leftover in layout.published.glob(".building-*"):
        shutil.rmtree(leftover)
    building.mkdir(parents=True)
    with connect(layout, str(layout.warehouse)) as connection:
        before = publication(connection)
        base = _base(layout, before)
        for table in tables:
            version.descriptions[table.name] = table.description
            version.columns[table.name] = table.columns
            if table.by_day:
                version.by_day.append(table.name)
                usable = base if base and table.name in base.by_day else None
                _write_days(layout, connection, table, building / table.name, usable, before.waiting)
            else:
                unchanged = base if base and table.name not in before.models else None
                _write_whole(layout, connection, table, building / f"{table.name}.parquet", unchanged)
            counted = connection.execute(f"select count(*) from {table.relation}").fetchone()
            version.rows[table.name] = counted[0] if counted else 0
        final = layout.published_version(number)
        os.rename(building, final)
        _complete(layout, version)
        _switch(layout, number)
        end_publication(connection, number)
    _prune(layout, created_at)
    return version


def _base(layout: Layout, before: Publication) -> Version | None:
    """The version since which days wait to be published, when it still exists."""
    if before.version is None or not (layout.published_version(before.version) / MANIFEST).exists():
        return None
    return read_version(layout, before.version)


def _write_whole(
    layout: Layout, connection: duckdb.DuckDBPyConnection, table: Table, target: Path, unchanged: Version | None
) -> None:
    """The file of a table; of one that was not built since a version, that version's file."""
    if unchanged:
        published = layout.published_version(unchanged.number) / target.name
        if published.exists():
            os.link(published, target)
            return
    copied = f"copy (from {table.relation}) to {literal(str(target))} (format parquet, compression zstd)"
    connection.execute(copied)


def _write_days(
    layout: Layout,
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    target: Path,
    base: Version | None,
    changed: Days,
) -> None:
    target.mkdir()
    where = "true"
    if base and changed is not None:
        ranges = [f"event_date between date '{first}' and date '{last}'" for first, last in changed]
        where = " or ".join(ranges) or "false"
        for day_folder in (layout.published_version(base.number) / table.name).glob("event_date=*"):
            if day_folder.name == EMPTY_PARTITION:
                continue  # the file of a table without rows
            day = date.fromisoformat(day_folder.name.removeprefix("event_date="))
            if not covers(changed, day):
                (target / day_folder.name).mkdir()
                for file in day_folder.iterdir():
                    os.link(file, target / day_folder.name / file.name)
    # A year at a time: every open file takes memory, and one row of the year 2000 gives some tables 9,000 days.
    years = f"select distinct year(event_date) from {table.relation} where {where} order by 1"
    for (year,) in connection.execute(years).fetchall():
        connection.execute(
            f"""copy (from {table.relation} where ({where}) and year(event_date) = {year}) to {literal(str(target))} (
                format parquet, compression zstd, partition_by (event_date), write_partition_columns true,
                overwrite_or_ignore true)"""
        )
    if not any(target.iterdir()):
        empty = target / EMPTY_PARTITION
        empty.mkdir()
        path = literal(str(empty / "data_0.parquet"))
        connection.execute(f"copy (from {table.relation} limit 0) to {path} (format parquet)")


def _complete(layout: Layout, version: Version) -> None:
    """Views, and version.json last: with it a version is complete. Its files are nobody's to change from here on."""
    folder = layout.published_version(version.number)
    _write_database(folder, version)
    version.root = str(layout.root)
    replace_file(folder / MANIFEST, to_json(version))
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.stat().st_mode & WRITABLE:
                path.chmod(READ_ONLY)


def _write_database(folder: Path, version: Version) -> None:
    """analytics.duckdb: a view per table with absolute paths, a comment on every table and column."""
    beside = folder / f".{DATABASE}"
    beside.unlink(missing_ok=True)
    with duckdb.connect(str(beside)) as connection:
        create_views(connection, folder)
        comment(connection, version.descriptions, version.columns)
    os.replace(beside, folder / DATABASE)


def _switch(layout: Layout, number: int) -> None:
    beside = layout.published / f".current-{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(layout.published_version(number).name, target_is_directory=True)
    os.replace(beside, layout.current)


def _folders(layout: Layout) -> Iterator[Path]:
    if layout.published.exists():
        yield from sorted(p for p in layout.published.iterdir() if p.is_dir() and p.name.isdigit())


def _number(folder: Path) -> int:
    return int(folder.name)


def _prune(layout: Layout, now: datetime) -> None:
    """Keep the last five versions, the current one, and whatever is under 24 hours old; drop what a kill left."""
    complete = versions(layout)
    keep = {v.number for v in complete[-KEEP_VERSIONS:]} | {v.number for v in complete if now - v.created_at < KEEP_AGE}
    current = current_version(layout)
    if current:
        keep.add(current.number)
    for folder in _folders(layout):
        if _number(folder) not in keep:
            shutil.rmtree(folder)


def versions(layout: Layout) -> list[Version]:
    """Every complete version, oldest first."""
    return [read_version(layout, _number(p)) for p in _folders(layout) if (p / MANIFEST).exists()]


def current_version(layout: Layout) -> Version | None:
    """The version that readers see, None before the first publish."""
    if not (layout.current / MANIFEST).exists():
        return None
    return read_version(layout, _number(layout.current.resolve()))


def is_current(layout: Layout) -> bool:
    """Whether readers see what the warehouse last published, and nothing was built since."""
    shown = current_version(layout)
    if shown is None or not layout.warehouse.exists():
        return False
    return read_publication(layout) == Publication(shown.number, (), frozenset())


def read_version(layout: Layout, number: int) -> Version:
    """A version by number. Raises PublishError when there is none, DocumentError when its version.json is damaged."""
    path = layout.published_version(number) / MANIFEST
    if not path.exists():
        numbers = ", ".join(str(v.number) for v in versions(layout)) or "none"
        raise PublishError(f"there is no published version {number}; there are: {numbers}")
    return read_json(path, Version, f"delete {path.parent} to go on without that version")


def rollback(layout: Layout, number: int | None = None) -> Version:
    """Make an earlier version current: the one before the current one, or the one asked for."""
    if number is None:
        current = current_version(layout)
        earlier = [v.number for v in versions(layout) if current and v.number < current.number]
        if not earlier:
            raise PublishError("there is no earlier version to go back to; 'fullhouse versions' lists what there is")
        number = earlier[-1]
    version = read_version(layout, number)
    _switch(layout, number)
    return version


def repair(layout: Layout) -> list[Version]:
    """Write the views of every version again, whose paths are absolute, after the lake was moved."""
    complete = versions(layout)
    if not complete:
        raise PublishError("nothing is published yet; 'fullhouse run' publishes")
    for version in complete:
        _complete(layout, version)
    if not layout.current.exists():
        _switch(layout, complete[-1].number)
    return complete


def utc_now() -> datetime:
    """The moment of a publish, for its version.json; no row depends on it."""
    return datetime.now(UTC)
