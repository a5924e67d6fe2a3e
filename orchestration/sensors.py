"""Sensors: new landing files start a reading, a reading starts the build of what it changed, failures an alert."""

import hashlib
from collections.abc import Sequence

import dagster as dg

from data_lake.landing import landing_files, new_files
from data_lake.layout import Layout
from orchestration.alerts import Alert, record
from orchestration.dead_runs import COMMAND_LINE
from orchestration.jobs import DAILY_LAKE
from orchestration.selection import READ, STAGE, build_request, lake_request

POLL_EVERY_SECONDS = 60
READING_EVERY_SECONDS = 10
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def listing(layout: Layout) -> str:
    """A digest of the names and sizes of all landing files: no file is opened to see that nothing is new."""
    content = hashlib.sha256()
    for file in landing_files(layout):
        content.update(f"{file.source}/{file.name} {file.size}\n".encode())
    return content.hexdigest()


def landing_sensor(assets: Sequence[dg.AssetKey]) -> dg.SensorDefinition:
    """New files in landing/ start a run that reads them. On by default: it does nothing while nothing arrives."""

    @dg.sensor(
        name="landing_sensor",
        job_name=DAILY_LAKE,
        minimum_interval_seconds=POLL_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reads new landing files.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        layout = Layout.from_env()
        seen = listing(layout)
        if seen == context.cursor:
            return dg.SkipReason("no landing file is new")
        if context.instance.get_runs(dg.RunsFilter(statuses=ACTIVE), limit=1):
            return dg.SkipReason("a run is active; it may be reading the new files")
        if not new_files(layout):
            return dg.SensorResult(skip_reason="every landing file has been read", cursor=seen)
        return dg.SensorResult(run_requests=[lake_request(layout, assets, run_key=seen)], cursor=seen)

    return sensor


def reading_sensor(job: "dg.UnresolvedAssetJobDefinition", assets: Sequence[dg.AssetKey]) -> dg.SensorDefinition:
    """A reading that ended well starts the build of what it changed. On by default, as the sensor before it."""

    @dg.run_status_sensor(
        name="reading_sensor",
        run_status=dg.DagsterRunStatus.SUCCESS,
        request_job=job,
        minimum_interval_seconds=READING_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds, publishes and scores what a reading changed.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        tags = context.dagster_run.tags
        if tags.get(STAGE) != READ or COMMAND_LINE in tags:
            return dg.SkipReason("the run was no reading, or its process goes on by itself")
        return build_request(Layout.from_env(), assets) or dg.SkipReason("nothing has changed")

    return sensor


def failure_sensor() -> dg.SensorDefinition:
    """Every failed run becomes a line in alerts.jsonl and a message to FULLHOUSE_ALERT_URL."""

    @dg.run_failure_sensor(
        name="run_failure_sensor",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Appends to alerts.jsonl; posts to FULLHOUSE_ALERT_URL when set.",
    )
    def sensor(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        message = context.failure_event.message or "the run failed"
        problem = record(layout := Layout.from_env(), Alert.now(layout, run.run_id, run.job_name, message))
        if problem:
            context.log.error(f"the alert was written to alerts.jsonl, but not posted: {problem}")

    return sensor
