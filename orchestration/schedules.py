"""The schedule: once a day, whatever has arrived."""

from collections.abc import Sequence

import dagster as dg

from data_lake.layout import Layout
from orchestration.jobs import DAILY_LAKE
from orchestration.selection import lake_request


def daily_schedule(assets: Sequence[dg.AssetKey]) -> dg.ScheduleDefinition:
    """At 04:00 UTC, when yesterday's exports are there. Off until turned on: it runs without new files too."""

    @dg.schedule(
        name="daily_lake_schedule",
        cron_schedule="0 4 * * *",
        job_name=DAILY_LAKE,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every day at 04:00 UTC: read what arrived, build, audit, publish.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return lake_request(Layout.from_env(), assets)

    return schedule
