"""The jobs: {cadence}_{what}_job."""

from __future__ import annotations

import dagster as dg

from orchestration.project import INSIGHTS

DAILY_LAKE = "daily_lake_job"
DAILY_SCORING = "daily_scoring_job"
WEEKLY_TRAINING = "weekly_training_job"


def lake_job() -> dg.UnresolvedAssetJobDefinition:
    """Landing files to published tables: `fullhouse run`, the schedule and the sensors run parts of it."""
    return dg.define_asset_job(
        DAILY_LAKE,
        # Pulling from an account is asked for apart: a run reads what has landed. Training has its own rhythm.
        selection=dg.AssetSelection.all() - dg.AssetSelection.key_prefixes("landing", "models"),
        description="Landing files to published tables: read, build, audit, publish, score, publish the insights.",
    )


def training_job() -> dg.UnresolvedAssetJobDefinition:
    """The model of every question, as of a Monday."""
    return dg.define_asset_job(
        WEEKLY_TRAINING,
        selection=dg.AssetSelection.key_prefixes("models"),
        description="Train, evaluate and gate every question's model as of a Monday; the gate decides on the champion.",
    )


def scoring_job() -> dg.UnresolvedAssetJobDefinition:
    """Scores, evaluations of past ones and insight marts: the last part of the lake job, for backfills."""
    return dg.define_asset_job(
        DAILY_SCORING,
        selection=dg.AssetSelection.groups("published_insights")
        | dg.AssetSelection.key_prefixes("predictions", INSIGHTS),
        description="Score with the newest version that may, evaluate past scores, build and publish insight marts.",
    )
