"""Taking a landing file and its rows out of the lake.

Raw partitions hold one row per key: where the file's row had replaced another file's, that file is marked to be read
again. The index entry goes last, so that a forgetting that was killed can be told again by the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data_lake.contracts import load_contracts
from data_lake.errors import LakeError
from data_lake.landing import Entry, digest, entries, landing_files, sidecar_path, write_entry
from data_lake.layout import Layout
from data_lake.sources.reading.sidecars import given_name
from data_lake.sql import connect
from data_lake.store import drop_rows, scan

LISTED = 10


class NotInLake(LakeError):
    """A name means no file of the lake, or several; the message says which there are."""


@dataclass(frozen=True)
class Forgotten:
    """What goes with a landing file.

    `rows` are those it has in raw/, by entity and day (rows that gave way to another file's are not among them);
    `reread` the index entries of other files whose rows may come back. `path` no longer exists where landing/ lost it.
    """

    source: str
    name: str
    path: Path
    rows: dict[str, dict[date, int]]
    quarantined: int
    reread: tuple[Entry, ...]

    @property
    def days(self) -> list[date]:
        return sorted({day for days in self.rows.values() for day in days})


def find(layout: Layout, wanted: str) -> tuple[str, str]:
    """The (source, name) of the one landing file that a person means.

    By its path, its name below landing/ (with the source or without), the name it was given, or the file it was
    added from. Raises NotInLake.
    """
    known = {(f.source, f.name): f.path for f in landing_files(layout)}
    known |= {key: layout.landing / key[0] / key[1] for key in entries(layout) if key not in known}
    path = Path(wanted)
    is_outside = path.is_file() and not path.resolve().is_relative_to(layout.landing.resolve())
    content = digest(path) if is_outside else None

    def is_meant(source: str, name: str, filed: Path) -> bool:
        if content:
            return Path(name).name.startswith(f"{content}-")
        names = {name, f"{source}/{name}", f"landing/{source}/{name}", Path(name).name, given_name(Path(name))}
        return wanted in names or path.resolve() == filed.resolve()

    meant = [key for key, filed in sorted(known.items()) if is_meant(*key, filed)]
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(f"{source}/{name}" for source, name in (meant or sorted(known))[:LISTED])
    if meant:
        raise NotInLake(f"{wanted} may be any of {listed}: give one of these names")
    others = f"; there are: {listed}{', ...' if len(known) > LISTED else ''}" if known else ""
    raise NotInLake(f"{wanted} is no file of landing/{others}")


def look_up(layout: Layout, source: str, name: str) -> Forgotten:
    """What forgetting this landing file would change."""
    index = entries(layout)
    entry = index.get((source, name))
    rows: dict[str, dict[date, int]] = {}
    reread: dict[str, Entry] = {}
    with connect(layout) as connection:
        for entity, read in (entry.rows if entry else {}).items():
            if entity not in load_contracts():
                continue
            scan(layout, entity, connection).create_view("_held", replace=True)
            days = sorted(read)
            held = {
                (day.isoformat(), file): count
                for day, file, count in connection.execute(
                    """select event_date, landing_file, count(*) from _held
                    where source = ? and event_date in (select unnest(?::date[])) group by all""",
                    [source, days],
                ).fetchall()
            }
            own = {date.fromisoformat(day): held[day, name] for day in days if (day, name) in held}
            if own:
                rows[entity] = own
            for other in index.values():
                counted = other.rows.get(entity, {}) if other.source == source and other.name != name else {}
                if any(held.get((day, other.name), 0) < counted.get(day, 0) for day in days):
                    reread[other.name] = other
    quarantined = entry.bad_rows if entry else 0
    return Forgotten(source, name, layout.landing / source / name, rows, quarantined, tuple(reread.values()))


def forget(layout: Layout, found: Forgotten) -> None:
    """Take the file, its sidecar, its rows in raw/ and quarantine/ and its index entry out of the lake.

    What it had replaced is read again by the next ingest, which the lake is not whole without.
    """
    for other in found.reread:
        other.context = ""  # of no file: it is read again, and until then its rows stay
        write_entry(layout, other)
    found.path.unlink(missing_ok=True)
    sidecar_path(found.path).unlink(missing_ok=True)
    for entity, days in found.rows.items():
        for day in days:
            drop_rows(layout, entity, day, found.source, found.name)
    for entity in load_contracts():
        layout.quarantine_file(entity, found.source, found.name).unlink(missing_ok=True)
    layout.index_entry(found.source, found.name).unlink(missing_ok=True)
