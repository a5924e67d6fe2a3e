"""The jobs: {cadence}_{what}_job."""

from __future__ import annotations

import dagster as dg

DAILY_LAKE = "daily_lake_job"


def lake_job() -> dg.UnresolvedAssetJobDefinition:
    """Everything, from landing files to published tables: what `fullhouse run`, the schedule and the sensor run."""
    return dg.define_asset_job(
        DAILY_LAKE,
        # Pulling from an account is asked for apart: a run reads what has landed.
        selection=dg.AssetSelection.all() - dg.AssetSelection.key_prefixes("landing"),
        description="Landing files to published tables: read, build, audit, publish.",
    )
