"""From landing files to raw partitions: read each new file once, check every row, merge, then write the index.

Files are read in groups. The rows of a group wait in raw/_spool, so memory does not grow with the size of a
file; they are completed and checked in DuckDB, merged day by day, and only then does each file get its index entry: a
killed ingest leaves whole partitions and files that will be read again.
"""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data_lake.checking import check_rows
from data_lake.contracts import Contract, contract, load_contracts
from data_lake.documents import DocumentError
from data_lake.files import replace_file, sweep
from data_lake.landing import (
    Entry,
    LandingFile,
    blank_entry,
    entries,
    export_of,
    landing_files,
    unread,
    write_entry,
)
from data_lake.layout import Layout
from data_lake.sources import SOURCES
from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem, Rows
from data_lake.spool import Spool
from data_lake.sql import connect
from data_lake.store import ensure_readable, merge, parquet, renew

# One group's rows are merged together: larger groups write each partition less often, smaller ones need less disk.
GROUP_BYTES = 512 * 1024 * 1024
PROBLEMS_KEPT = 20
# Files read side by side: DuckDB and Arrow leave the interpreter while they work.
READERS = 2


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
    bad rows go to quarantine/, a file that cannot be read gets an index entry with its error. What killed writers left
    unfinished is removed first.
    """
    report = IngestReport()
    sweep([layout.landing, layout.raw, layout.quarantine, layout.predictions])
    for entity in load_contracts():
        ensure_readable(layout, entity)
    earlier = entries(layout)
    _renew_orphans(layout, earlier)
    waiting = unread(landing_files(layout), earlier)
    for source in sources or SOURCES:
        files = [f for f in waiting if f.source == source]
        total = sum(f.size for f in files) or 1
        done = 0
        for group in _groups(files):
            for file in _ingest_group(layout, source, group, earlier, report):
                done += file.size
                if on_file:
                    on_file(source, done / total)
    return report


def _renew_orphans(layout: Layout, earlier: dict[tuple[str, str], Entry]) -> None:
    """Carry rows of landing files that are gone over to contracts that have changed since they were read.

    Raises ContractError when a changed contract cannot hold them.
    """
    present = {(f.source, f.name) for f in landing_files(layout)}
    hashes = {entity: c.hash for entity, c in load_contracts().items()}
    orphans = [e for key, e in earlier.items() if key not in present]
    old = [e for e in orphans if any(hashes.get(entity, read) != read for entity, read in e.contracts.items())]
    for entity, source in sorted({(entity, e.source) for e in old for entity in e.rows if entity in hashes}):
        renew(layout, entity, source)
    for entry in old:
        entry.contracts = {entity: hashes.get(entity, read) for entity, read in entry.contracts.items()}
        write_entry(layout, entry)


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
    spool = Spool(layout.spool)
    read: dict[str, Entry] = {}
    exported: dict[str, datetime | None] = {}
    with ThreadPoolExecutor(READERS) as readers:
        for file, (entry, exported_at) in zip(group, readers.map(partial(_read_into, spool), group), strict=True):
            read[file.name] = entry
            exported[file.name] = exported_at
            yield file
    spool.close()
    names = [f.name for f in group]
    about = [{"landing_file": n, "exported_at": exported[n], "latest_event": spool.latest(n)} for n in names]
    with connect(layout) as connection:
        connection.register("_about", pa.Table.from_pylist(about, schema=_ABOUT))
        for entity in SOURCES[source].entities:
            days_before = {d for n in names if (source, n) in earlier for d in earlier[source, n].days.get(entity, [])}
            if spool.holds(entity) or days_before:
                _finish(layout, connection, contract(entity), source, spool, days_before, read, report)
    for entry in read.values():
        write_entry(layout, entry)
        report.files += 1
        report.problems += entry.problem_count
        if entry.error:
            report.failed[f"{source}/{entry.name}"] = entry.error
    shutil.rmtree(layout.spool)


_ABOUT = pa.schema(
    [("landing_file", pa.string()), ("exported_at", pa.timestamp("us")), ("latest_event", pa.timestamp("us"))]
)


def _read_into(spool: Spool, file: LandingFile) -> tuple[Entry, datetime | None]:
    """Parse one file into the spool; returns its entry and the sidecar's exported_at."""
    entry = blank_entry(file)
    exported_at: datetime | None = None
    try:
        export, sidecar = export_of(file)
        exported_at = sidecar.exported_at
        for part in SOURCES[file.source].parse(export):
            if isinstance(part, Rows):
                spool.write(file.name, part)
            else:
                _note(entry, part)
    except DocumentError as error:
        entry.error = str(error)
    except Exception as error:
        # A parser's own fault must not stop the other files: it is recorded with the file and shown as a failure.
        entry.error = f"{type(error).__name__} while reading: {error}"
    return entry, exported_at


def _note(entry: Entry, problem: Problem) -> None:
    entry.problem_count += 1
    if len(entry.problems) < PROBLEMS_KEPT:
        entry.problems.append({"row": problem.row, "reason": problem.reason, "text": problem.text[:2000]})


def _finish(
    layout: Layout,
    connection: duckdb.DuckDBPyConnection,
    expected: Contract,
    source: str,
    spool: Spool,
    days_before: set[date],
    entries_by_name: dict[str, Entry],
    report: IngestReport,
) -> None:
    """Check the spooled rows of one entity, set the bad ones aside, merge the good ones, note both in the entries."""
    entity = expected.entity
    check_rows(connection, expected, source, spool.open(entity))
    bad = connection.execute(
        f"select landing_file, {ROW} as row, {PROBLEM} as reason, {TEXT} as text from _bad order by all"
    ).to_arrow_table()
    for name in entries_by_name:
        path = layout.quarantine_file(entity, source, name)
        rows = bad.filter(pc.equal(bad.column("landing_file"), name)) if bad.num_rows else bad
        if rows.num_rows:
            replace_file(path, parquet(rows))
        else:
            path.unlink(missing_ok=True)
    kinds = connection.execute(
        """select landing_file, regexp_replace(_problem, '''[^'']*''', '…', 'g'), count(*)
        from _bad group by all order by all"""
    ).fetchall()
    for name, reason, count in kinds:
        entries_by_name[name].quarantined.setdefault(entity, {})[reason] = count
        report.quarantined[source, entity, reason] += count
    counted = connection.execute(
        f"""select landing_file, cast("{expected.event_time}" as date) as day, count(*)
        from _good group by all order by all"""
    ).fetchall()
    for name, day, count in counted:
        entries_by_name[name].rows.setdefault(entity, {})[day.isoformat()] = count
        report.rows[source, entity] += count
    files = list(entries_by_name)
    changed = merge(layout, connection, entity, source, "_good", landing_files=files, also_days=days_before)
    if changed:
        report.changed[source, entity].update(changed)


def quarantined(layout: Layout) -> Iterator[dict[str, Any]]:
    """Every row set aside, with its entity, source, landing file, row, reason and original text."""
    for path in sorted(layout.quarantine.rglob("*.parquet")):
        entity, source = path.relative_to(layout.quarantine).parts[:2]
        for row in pq.read_table(path).to_pylist():
            yield {"entity": entity, "source": source.removeprefix("source="), **row}
