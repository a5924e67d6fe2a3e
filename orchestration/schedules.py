"""The schedules: once a day whatever has arrived, once a week the models."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from data_lake.layout import Layout
from orchestration.jobs import DAILY_LAKE, WEEKLY_TRAINING
from orchestration.selection import lake_request


def daily_schedule(assets: Sequence[dg.AssetKey]) -> dg.ScheduleDefinition:
    """At 04:00 UTC, when yesterday's exports have arrived. Off until turned on: it runs without new files too."""

    @dg.schedule(
        name="daily_lake_schedule",
        cron_schedule="0 4 * * *",
        job_name=DAILY_LAKE,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every day at 04:00 UTC: read what arrived; what that changed is built after it.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return lake_request(Layout.from_env(), assets)

    return schedule


def training_schedule() -> dg.ScheduleDefinition:
    """Mondays at 05:00 UTC, after the daily run, as of the Monday a week ago: the data of that day are complete."""

    @dg.schedule(
        name="weekly_training_schedule",
        cron_schedule="0 5 * * 1",
        job_name=WEEKLY_TRAINING,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every Monday at 05:00 UTC: train the model of every question as of the last complete Monday.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.date()
        monday = day - timedelta(days=day.weekday() + 7)
        return dg.RunRequest(run_key=monday.isoformat(), partition_key=monday.isoformat())

    return schedule
