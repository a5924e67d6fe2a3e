"""What state a lake is in: zones, days, stale partitions, failed files, freshness. Reads, never writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime

from data_lake.landing import Entry, entries, landing_files, missing_files, unknown_folders, unread
from data_lake.layout import Layout
from data_lake.partitions import partitions
from data_lake.planning import outer_days, read_state, stale
from data_lake.publish import Version, current_version


@dataclass
class EntityStatus:
    """One entity of raw/: partitions, the days they span, rows by source as the landing index counts them."""

    entity: str
    partitions: int = 0
    first_day: date | None = None
    last_day: date | None = None
    rows: Counter[str] = field(default_factory=Counter)


@dataclass
class Status:
    """A lake at a glance."""

    root: str
    landing: Counter[str]
    waiting: list[str]
    missing: list[str]
    unknown: list[str]
    entities: list[EntityStatus]
    span: tuple[date, date] | None
    failed: list[Entry]
    quarantined: Counter[tuple[str, str, str]]
    stale: list[tuple[str, date, str]]
    built_as_of: date | None
    published: Version | None
    published_at: datetime | None


def collect(layout: Layout, fingerprint: str) -> Status:
    """Read the state of a lake; `fingerprint` stands for the models and settings, as in `planning.plan`."""
    files = list(landing_files(layout))
    index = entries(layout)
    by_entity: dict[str, EntityStatus] = {}
    parts = list(partitions(layout))
    for part in parts:
        about = by_entity.setdefault(part.entity, EntityStatus(part.entity))
        about.partitions += 1
        about.first_day = min(about.first_day or part.day, part.day)
        about.last_day = max(about.last_day or part.day, part.day)
    quarantined: Counter[tuple[str, str, str]] = Counter()
    for entry in index.values():
        for entity, days in entry.rows.items():
            if entity in by_entity:
                by_entity[entity].rows[entry.source] += sum(days.values())
        for entity, reasons in entry.quarantined.items():
            for reason, count in reasons.items():
                quarantined[entry.source, entity, reason] += count
    built = read_state(layout)
    version = current_version(layout)
    return Status(
        root=str(layout.root),
        landing=Counter(f.source for f in files),
        waiting=[f"{f.source}/{f.name}" for f in unread(files, index)],
        missing=missing_files(files, index),
        unknown=unknown_folders(layout),
        entities=list(by_entity.values()),
        span=outer_days(parts),
        failed=[e for e in index.values() if e.error or e.problem_count],
        quarantined=quarantined,
        stale=stale(parts, built, fingerprint),
        built_as_of=built.as_of if built else None,
        published=version,
        published_at=version.created_at if version else None,
    )
