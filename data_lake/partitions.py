"""The partitions of raw/, as the folders say: one file per entity, UTC day and source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data_lake.contracts import load_contracts
from data_lake.layout import Layout


@dataclass(frozen=True)
class Partition:
    """One raw file; `fingerprint` changes when its content does."""

    entity: str
    day: date
    source: str
    path: Path
    fingerprint: str


def partitions(layout: Layout, entity: str | None = None) -> Iterator[Partition]:
    """The partitions that hold rows, by entity, day and source; folders of raw/ that no contract names are not read."""
    for name in [entity] if entity else load_contracts():
        for day, day_folder in _subfolders(layout.raw_entity(name), "event_date="):
            if not day[:1].isdigit():
                continue  # the file of an entity without rows
            for source, folder in _subfolders(day_folder, "source="):
                path = Path(folder, "part-0.parquet")
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                yield Partition(name, date.fromisoformat(day), source, path, f"{stat.st_size}-{stat.st_mtime_ns}")


def _subfolders(folder: str | Path, prefix: str) -> list[tuple[str, str]]:
    """Subfolders by what stands behind the prefix in their names; none when there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e.name.removeprefix(prefix), e.path) for e in entries if e.name.startswith(prefix))
    except FileNotFoundError:
        return []
