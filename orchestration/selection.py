"""Which part of the lake a run concerns: the same answer for the command line, the schedule and the sensor."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import dagster as dg

from data_lake.landing import new_files
from data_lake.layout import Layout
from orchestration.partitions import Window, run_tags
from orchestration.project import fingerprint


def lake_selection(layout: Layout, assets: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    """All assets but the raw ones of sources without a new file: nothing is read for those, and Dagster would store
    an event for each of their entities and days. Training has a job of its own."""
    news = {file.source for file in new_files(layout)}
    lake = (key for key in assets if key.path[0] not in ("landing", "models"))
    return sorted(key for key in lake if key.path[0] != "raw" or key.path[1] in news)


def lake_request(layout: Layout, assets: Sequence[dg.AssetKey], run_key: str | None = None) -> dg.RunRequest:
    """A run over whatever changed since the last one."""
    return dg.RunRequest(
        run_key=run_key,
        tags=run_tags(layout, fingerprint(), Window()),
        asset_selection=lake_selection(layout, assets),
    )
