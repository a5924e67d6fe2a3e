"""The days that landing files say they are about, before anything is read of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from data_lake import landing
from data_lake.layout import Layout
from data_lake.planning import observed
from data_lake.sources.reading.sidecars import stated_time


def stated_days(layout: Layout, files: Sequence[landing.LandingFile]) -> list[date]:
    """The first and last days that the sidecars of these files state; else the days of their export, else the last day
    that raw/ holds rows of: an export is mostly made soon after what it holds."""
    days = list(_stated(files, "first_day", "last_day")) or list(_stated(files, "exported_at"))
    span = observed(layout) if not days else None
    return days or ([span[1]] if span else [])


def _stated(files: Sequence[landing.LandingFile], *keys: str) -> Iterator[date]:
    for file in files:
        try:
            sidecar = landing.read_sidecar(landing.sidecar_path(file.path))
            yield from [day.date() for key in keys if (day := stated_time(sidecar, key))]
        except ValueError:
            continue  # the ingest reports the sidecar with its file
