"""Every client in Dagster: the asset that fills its landing folder, its job, a nightly schedule, a sensor that polls.

All are off until somebody turns them on, and all need a login (`fullhouse connect <client>`). What they land is read,
built and published by the runs that read any other landing file. No secret passes through here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from data_lake.clients import clients
from data_lake.clients.base import Client
from data_lake.clients.errors import ClientError
from data_lake.clients.report import PullReport
from data_lake.layout import Layout
from orchestration.jobs import DAILY_LAKE
from orchestration.partitions import monthly
from orchestration.resources import LakeResource
from orchestration.selection import lake_request
from orchestration.window import CHANGED, WINDOW, Window

POLL_EVERY_SECONDS = 60


class PullSettings(dg.Config):
    """What to pull of (none: what the logins are), and which lists (none: those of every day)."""

    targets: list[str] = Field(default_factory=list)
    endpoints: list[str] = Field(default_factory=list)


def client_assets() -> list[dg.AssetsDefinition]:
    """One pull per client."""
    return [pull_asset(client) for client in clients()]


def client_jobs() -> list["dg.UnresolvedAssetJobDefinition"]:
    """One job per client: its pull alone."""
    return [
        dg.define_asset_job(
            job_name(client),
            selection=dg.AssetSelection.assets(pull_key(client)),
            description=f"{client.title} to landing files; the landing sensor runs them.",
        )
        for client in clients()
    ]


def client_schedules() -> list[dg.ScheduleDefinition]:
    """One schedule per client."""
    return [pull_schedule(client) for client in clients()]


def client_sensors(assets: Sequence[dg.AssetKey]) -> list[dg.SensorDefinition]:
    """One sensor per client that has something to poll."""
    return [live_sensor(client, assets) for client in clients() if client.polling]


def pull_key(client: Client) -> dg.AssetKey:
    return dg.AssetKey(["landing", client.source])


def job_name(client: Client) -> str:
    return f"nightly_{client.name}_job"


def pull_asset(client: Client) -> dg.AssetsDefinition:
    """The pull. Over chosen days it is a backfill: of what a platform does not keep, it says so."""

    @dg.asset(
        key=pull_key(client),
        group_name=f"landing_{client.name}",
        kinds={"json"},
        partitions_def=monthly(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=f"{client.description} Needs '{client.connect_command}'.",
    )
    def pull_client(context: dg.AssetExecutionContext, config: PullSettings, lake: LakeResource) -> None:
        # The transport is loaded where something is called.
        from data_lake.clients.http import Clock, Http
        from data_lake.clients.pull import pull

        unknown = sorted(set(config.endpoints) - set(client.endpoints))
        if unknown:
            existing = ", ".join(client.endpoints)
            raise dg.Failure(f"no endpoint {', '.join(unknown)}; there are {existing}", allow_retries=False)
        asked = Window.of(context.run)
        try:
            report = pull(
                lake.layout, client.open(Http(Clock())), config.targets, endpoints=config.endpoints,
                since=asked.from_day, until=asked.to_day,
            )  # fmt: skip
        except ClientError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for message in report.messages:
            context.log.warning(message)
        context.add_output_metadata(pull_metadata(report))
        if report.failures:
            raise dg.Failure("; ".join(report.failures), metadata=pull_metadata(report), allow_retries=False)

    return pull_client


def pull_metadata(report: PullReport) -> dict[str, Any]:
    """What a pull brought, and one sentence per list that did not come whole."""
    return {
        "dagster/row_count": sum(one.rows for one in report.lists),
        "files": sum(one.path is not None and one.state != "already there" for one in report.lists),
        "calls": sum(one.calls for one in report.lists),
        "retries": sum(one.retries for one in report.lists),
        "not_whole": dg.MetadataValue.json(report.messages),
    }


def pull_schedule(client: Client) -> dg.ScheduleDefinition:
    """At 03:00 UTC, an hour before the daily run. Off by default: it needs a login."""

    @dg.schedule(
        name=f"nightly_{client.name}_schedule",
        cron_schedule="0 3 * * *",
        job_name=job_name(client),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every night at 03:00 UTC: take snapshots of the lists, catch up on those that keep history.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        # Not a backfill of that day: lists are seen as they are now.
        month = datetime.now(UTC).date().replace(day=1).isoformat()
        return dg.RunRequest(partition_key=month, tags={WINDOW: CHANGED})

    return schedule


def live_sensor(client: Client, assets: Sequence[dg.AssetKey]) -> dg.SensorDefinition:
    """Checks every minute who is live; a stream that ended starts the run of its days. Off by default."""

    @dg.sensor(
        name=f"{client.name}_stream_ended_sensor",
        job_name=DAILY_LAKE,
        minimum_interval_seconds=POLL_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Samples the viewers of live {client.title} streams; when one has ended, reads and analyses it.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        from data_lake.clients.http import Clock, Http
        from data_lake.clients.poll import poll

        layout = Layout.from_env()
        try:
            report = poll(layout, client.open(Http(Clock())))
        except ClientError as error:
            return dg.SkipReason(str(error))
        if not report.ended:
            return dg.SkipReason(report.in_words())
        ended = "-".join(sorted(one.stream_id for one in report.ended))
        return dg.SensorResult(run_requests=[lake_request(layout, assets, run_key=f"ended-{ended}")])

    return sensor
