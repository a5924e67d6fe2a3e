"""From landing files to raw partitions: read each new file once, check every row, merge, then write the index.

Files are read in groups. The rows of a group wait in raw/_spool as Parquet, so memory does not grow with the size of a
file; they are completed and checked in DuckDB, merged day by day, and only then does each file get its index entry: a
killed ingest leaves whole partitions and files that will be read again. Formats do not belong here (see `sources`).
"""

from __future__ import annotations

import itertools
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_lake.checking import check_rows
from data_lake.contracts import Contract, contract, load_contracts
from data_lake.landing import Entry, LandingFile, blank_entry, entries, export_of, new_files, write_entry
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem, Rows
from data_lake.store import connect, ensure_readable, merge, replace_file

# One group's rows are merged together: larger groups write each partition less often, smaller ones need less disk.
GROUP_BYTES = 512 * 1024 * 1024
PROBLEMS_KEPT = 20
# Files read side by side: DuckDB and Arrow leave the interpreter while they work.
READERS = 2
SPOOL_COLUMNS = [pa.field(ROW, pa.int64()), pa.field(TEXT, pa.string()), pa.field(PROBLEM, pa.string())]


@dataclass
class IngestReport:
    """What an ingest did: rows kept and days changed by (source, entity), what was set aside, what failed."""

    files: int = 0
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    changed: dict[tuple[str, str], set[date]] = field(default_factory=lambda: defaultdict(set))
    quarantined: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    problems: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def ingest(
    layout: Layout, *, sources: Sequence[str] | None = None, on_file: Callable[[str, float], None] | None = None
) -> IngestReport:
    """Read every new landing file (of these sources) into raw/.

    `on_file` is called with the source and the share of its bytes done. What a file contains never stops the ingest:
    bad rows go to quarantine/, a file that cannot be read gets an index entry with its error.
    """
    report = IngestReport()
    for entity in load_contracts():
        ensure_readable(layout, entity)
    earlier = entries(layout)
    for source in sources or SOURCES:
        files = [f for f in new_files(layout) if f.source == source]
        total = sum(f.size for f in files) or 1
        done = 0
        for group in _groups(files):
            for file in _ingest_group(layout, source, group, earlier, report):
                done += file.size
                if on_file:
                    on_file(source, done / total)
    return report


def _groups(files: Sequence[LandingFile]) -> Iterator[list[LandingFile]]:
    group: list[LandingFile] = []
    size = 0
    for file in files:
        if group and size + file.size > GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def _ingest_group(
    layout: Layout,
    source: str,
    group: Sequence[LandingFile],
    earlier: dict[tuple[str, str], Entry],
    report: IngestReport,
) -> Iterator[LandingFile]:
    """Read, check and merge a group of files of one source; yields each file once it has been read."""
    shutil.rmtree(layout.spool, ignore_errors=True)
    layout.spool.mkdir(parents=True)
    found: dict[str, Entry] = {}
    about: list[dict[str, Any]] = []
    with ThreadPoolExecutor(READERS) as readers:
        for file, (entry, moments) in zip(
            group, readers.map(_read_into, itertools.repeat(layout), itertools.count(), group), strict=True
        ):
            found[file.name] = entry
            about.append({"landing_file": file.name, **moments})
            yield file
    names = [f.name for f in group]
    with connect(layout) as connection:
        connection.register("_about", pa.Table.from_pylist(about, schema=_ABOUT))
        for entity in SOURCES[source].entities:
            was = {d for n in names if (source, n) in earlier for d in earlier[source, n].days.get(entity, [])}
            spooled = sorted(layout.spool.glob(f"{entity}-*.parquet"))
            if not spooled and not was:
                continue
            _finish(layout, connection, contract(entity), source, spooled, names, was, found, report)
    for entry in found.values():
        write_entry(layout, entry)
        report.files += 1
        report.problems += entry.problem_count
        if entry.error:
            report.failed[f"{source}/{entry.name}"] = entry.error
    shutil.rmtree(layout.spool)


_ABOUT = pa.schema(
    [("landing_file", pa.string()), ("exported_at", pa.timestamp("us")), ("latest_event", pa.timestamp("us"))]
)


def _read_into(layout: Layout, number: int, file: LandingFile) -> tuple[Entry, dict[str, datetime | None]]:
    """Parse one file into its own spool files; returns its entry, when it was exported and its latest event."""
    entry = blank_entry(file)
    with _Spool(layout, number, file.name) as spool:
        exported_at = _read(file, entry, spool)
    return entry, {"exported_at": exported_at, "latest_event": spool.latest}


def _read(file: LandingFile, entry: Entry, spool: _Spool) -> datetime | None:
    """Parse one file into the spool; returns the sidecar's exported_at."""
    try:
        export = export_of(file)
        exported_at = _moment(export.sidecar.get("exported_at"))
    except ValueError as error:
        entry.error = str(error)
        return None
    try:
        for part in SOURCES[file.source].parse(export):
            if isinstance(part, Rows):
                spool.write(part)
            else:
                _note(entry, part)
    except Exception as error:
        # A parser's own fault must not stop the other files: it is recorded with the file and shown as a failure.
        entry.error = f"{type(error).__name__} while reading: {error}"
    return exported_at


def _note(entry: Entry, problem: Problem) -> None:
    entry.problem_count += 1
    if len(entry.problems) < PROBLEMS_KEPT:
        entry.problems.append({"row": problem.row, "reason": problem.reason, "text": problem.text[:2000]})


def _moment(said: Any) -> datetime | None:
    """A sidecar's time as naive UTC. Raises ValueError when it is not one."""
    if said is None:
        return None
    value = said if isinstance(said, datetime) else None
    if value is None:
        try:
            value = datetime.fromisoformat(str(said))
        except ValueError:
            raise ValueError(f"the sidecar's exported_at is {said!r}; write it as 2026-01-31T12:00:00Z") from None
    if value.tzinfo is None:
        return value
    offset = value.utcoffset()
    return value.replace(tzinfo=None) - offset if offset else value.replace(tzinfo=None)


class _Spool:
    """The rows of one landing file on their way to their partitions: one Parquet file per entity."""

    def __init__(self, layout: Layout, number: int, landing_file: str) -> None:
        self._folder, self._number, self._name = layout.spool, number, landing_file
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._latest: dict[bool, datetime] = {}

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def write(self, part: Rows) -> None:
        expected = contract(part.entity)
        if part.entity not in self._writers:
            path = self._folder / f"{part.entity}-{self._number:06d}.parquet"
            self._writers[part.entity] = pq.ParquetWriter(path, _spool_schema(expected), compression="lz4")
        table = part.table
        self._see(expected, table)
        arrays = []
        for column in _spool_schema(expected):
            if column.name == "landing_file":
                arrays.append(pa.array([self._name] * table.num_rows, pa.string()))
            elif column.name in table.column_names:
                arrays.append(table.column(column.name).cast(column.type))
            else:
                arrays.append(pa.nulls(table.num_rows, column.type))
        self._writers[part.entity].write_table(pa.Table.from_arrays(arrays, schema=_spool_schema(expected)))

    def _see(self, expected: Contract, table: pa.Table) -> None:
        good = table.filter(pc.is_null(table.column(PROBLEM))) if PROBLEM in table.column_names else table
        for column in expected.columns:
            if column.type == "timestamp" and column.name in good.column_names:
                is_event = expected.kind == "event" and column.name == expected.event_time
                latest = pc.max(good.column(column.name).cast(pa.timestamp("us"))).as_py()
                if latest is not None:
                    self._latest[is_event] = max(latest, self._latest.get(is_event, latest))

    @property
    def latest(self) -> datetime | None:
        """The latest event time in the file, else its latest time of any kind: when it was exported at the earliest."""
        return self._latest.get(True, self._latest.get(False))


def _spool_schema(expected: Contract) -> pa.Schema:
    return pa.schema([*expected.arrow_schema, *SPOOL_COLUMNS])


def _finish(
    layout: Layout,
    connection: duckdb.DuckDBPyConnection,
    expected: Contract,
    source: str,
    spooled: Sequence[Path],
    names: Sequence[str],
    was: set[date],
    found: dict[str, Entry],
    report: IngestReport,
) -> None:
    """Check the spooled rows of one entity, set the bad ones aside, merge the good ones, note both in the entries."""
    entity = expected.entity
    check_rows(connection, expected, source, spooled)
    bad = connection.execute(
        f"select landing_file, {ROW} as row, {PROBLEM} as reason, {TEXT} as text from _bad order by all"
    ).to_arrow_table()
    for name in names:
        rows = bad.filter(pc.equal(bad.column("landing_file"), name))
        path = layout.quarantine_file(entity, source, name)
        if rows.num_rows:
            sink = pa.BufferOutputStream()
            pq.write_table(rows, sink, compression="zstd")
            replace_file(path, sink.getvalue())
        else:
            path.unlink(missing_ok=True)
    kinds = connection.execute(
        """select landing_file, regexp_replace(_problem, '''[^'']*''', '…', 'g'), count(*)
        from _bad group by all order by all"""
    ).fetchall()
    for name, reason, count in kinds:
        found[name].quarantined.setdefault(entity, {})[reason] = count
        report.quarantined[source, entity, reason] += count
    counted = connection.execute(
        f"""select landing_file, cast("{expected.event_time}" as date) as day, count(*)
        from _good group by all order by all"""
    ).fetchall()
    for name, day, count in counted:
        found[name].rows.setdefault(entity, {})[day.isoformat()] = count
        report.rows[source, entity] += count
    changed = merge(layout, connection, entity, source, "_good", landing_files=names, also_days=was)
    if changed:
        report.changed[source, entity].update(changed)


def quarantined(layout: Layout) -> Iterator[dict[str, Any]]:
    """Every row set aside, with its entity, source, landing file, row, reason and original text."""
    for path in sorted(layout.quarantine.rglob("*.parquet")):
        entity, source = path.relative_to(layout.quarantine).parts[:2]
        for row in pq.read_table(path).to_pylist():
            yield {"entity": entity, "source": source.removeprefix("source="), **row}
