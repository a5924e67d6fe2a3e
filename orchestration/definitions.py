"""The table of contents: every asset, check, job, schedule and sensor of the lake.

Loading it opens no network connection, reads no secret and creates nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration.assets.marts import marts_assets
from orchestration.assets.models import insights_assets, scoring_assets, training_assets
from orchestration.assets.publish import published_assets, published_insights
from orchestration.assets.raw import raw_assets
from orchestration.checks import raw_checks
from orchestration.clients import client_assets, client_jobs, client_schedules, client_sensors
from orchestration.jobs import lake_job, scoring_job, training_job
from orchestration.project import Manifest, load_manifest
from orchestration.quality import expectation_checks
from orchestration.resources import default_resources
from orchestration.schedules import daily_schedule, training_schedule
from orchestration.sensors import failure_sensor, landing_sensor, reading_sensor


def build_definitions(resources: Mapping[str, Any] | None = None, manifest: Manifest | None = None) -> dg.Definitions:
    """The definitions with these resources in place of the default ones."""
    manifest = manifest or load_manifest()
    assets = [*raw_assets(), marts_assets(manifest), published_assets(manifest)]
    assets += [scoring_assets(), insights_assets(manifest), published_insights(manifest)]
    keys = sorted(key for definition in assets for key in definition.keys)
    job = lake_job()
    return dg.Definitions(
        assets=[*assets, *training_assets(), *client_assets()],
        asset_checks=[raw_checks(), expectation_checks(manifest)],
        jobs=[job, scoring_job(), training_job(), *client_jobs()],
        schedules=[daily_schedule(keys), training_schedule(), *client_schedules()],
        sensors=[landing_sensor(keys), reading_sensor(job, keys), failure_sensor(), *client_sensors(keys)],
        resources={**default_resources(), **(resources or {})},
        # One process per run: a process per step would cost 3 to 4 s each.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` loads. The manifest is made by `make setup`; without it this says so."""
    return build_definitions()
