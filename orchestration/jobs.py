"""The jobs: {cadence}_{what}_job."""

from __future__ import annotations

import dagster as dg

DAILY_LAKE = "daily_lake_job"


def lake_job() -> dg.UnresolvedAssetJobDefinition:
    """Everything, from landing files to published tables: what `fullhouse run`, the schedule and the sensor run."""
    return dg.define_asset_job(
        DAILY_LAKE,
        selection=dg.AssetSelection.all(),
        description="Landing files to published tables: read, build, audit, publish.",
    )
