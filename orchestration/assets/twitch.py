"""Pulling from Twitch: the asset that fills landing/twitch_helix/, a nightly schedule, a sensor that sees who is live.

All are off until somebody turns them on, and all need a login (`fullhouse connect twitch`). What they land is read,
built and published by the runs that read any other landing file. How Twitch is asked does not belong here (see
`data_lake.clients`), and no secret passes through here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from data_lake.clients.http import Clock, Http, NoAnswer
from data_lake.clients.poll import poll
from data_lake.clients.pull import PullReport, pull
from data_lake.clients.pull_file import PullBusy
from data_lake.clients.twitch.endpoints import DAILY, ENDPOINTS
from data_lake.clients.twitch.helix import HelixClient, HelixError
from data_lake.clients.twitch.login import NotConnected, TokenStore
from data_lake.layout import Layout
from orchestration.jobs import DAILY_LAKE
from orchestration.partitions import CHANGED, WINDOW, Window, daily
from orchestration.resources import LakeResource
from orchestration.selection import lake_request
from orchestration.twitch_commands import in_words

GROUP = "landing_twitch"
PULL_KEY = dg.AssetKey(["landing", "twitch_helix"])
NIGHTLY_TWITCH = "nightly_twitch_job"
POLL_EVERY_SECONDS = 60


class PullSettings(dg.Config):
    """Which channels (logins or ids; none: those of the logins) and which lists to pull."""

    channels: list[str] = Field(default_factory=list)
    endpoints: list[str] = Field(default_factory=lambda: list(DAILY))


def open_client() -> HelixClient:
    """The client of this machine's logins."""
    return HelixClient(TokenStore.default(), Http(Clock()))


def twitch_assets() -> dg.AssetsDefinition:
    """The pull. Over chosen days it is a backfill: of what Twitch does not keep, it says so."""

    @dg.asset(
        key=PULL_KEY,
        group_name=GROUP,
        kinds={"json"},
        partitions_def=daily(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Pages of the Twitch API as received: channels, videos, clips, followers, subscriptions, roles, "
        "bans, schedule. Needs 'fullhouse connect twitch'.",
    )
    def pull_twitch(context: dg.AssetExecutionContext, config: PullSettings, lake: LakeResource) -> None:
        unknown = sorted(set(config.endpoints) - set(ENDPOINTS))
        if unknown:
            raise dg.Failure(f"no endpoint {', '.join(unknown)}; there are {', '.join(ENDPOINTS)}", allow_retries=False)
        asked = Window.of(context.run)
        try:
            report = pull(
                lake.layout, open_client(), config.channels, endpoints=config.endpoints, since=asked.from_day,
                until=asked.to_day,
            )  # fmt: skip
        except (NotConnected, PullBusy, HelixError, NoAnswer) as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        for message in report.messages:
            context.log.warning(message)
        context.add_output_metadata(pull_metadata(report))
        if report.has_failed:
            failed = [f"{o.endpoint} of {o.channel}: {o.message}" for o in report.outcomes if o.state == "failed"]
            raise dg.Failure("; ".join(failed), metadata=pull_metadata(report), allow_retries=False)

    return pull_twitch


def pull_metadata(report: PullReport) -> dict[str, Any]:
    """What a pull brought, and one sentence per list that did not come whole."""
    return {
        "dagster/row_count": sum(o.rows for o in report.outcomes),
        "files": sum(o.path is not None and o.state != "already there" for o in report.outcomes),
        "calls": sum(o.calls for o in report.outcomes),
        "retries": sum(o.retries for o in report.outcomes),
        "not_whole": dg.MetadataValue.json(report.messages),
    }


def twitch_job() -> "dg.UnresolvedAssetJobDefinition":
    """The pull alone."""
    return dg.define_asset_job(
        NIGHTLY_TWITCH,
        selection=dg.AssetSelection.assets(PULL_KEY),
        description="Twitch to landing files; the landing sensor runs them.",
    )


def twitch_schedule() -> dg.ScheduleDefinition:
    """At 03:00 UTC, an hour before the daily run. Off by default: it needs a login."""

    @dg.schedule(
        name="nightly_twitch_schedule",
        cron_schedule="0 3 * * *",
        job_name=NIGHTLY_TWITCH,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every night at 03:00 UTC: take snapshots of the lists, catch up on clips and videos.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        # Not a backfill of that day: lists are seen as they are now.
        today = datetime.now(UTC).date().isoformat()
        return dg.RunRequest(partition_key=today, tags={WINDOW: CHANGED})

    return schedule


def live_sensor(assets: Sequence[dg.AssetKey]) -> dg.SensorDefinition:
    """Checks every minute who is live; a stream that ended starts the run of its days. Off by default."""

    @dg.sensor(
        name="stream_ended_sensor",
        job_name=DAILY_LAKE,
        minimum_interval_seconds=POLL_EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Samples the viewers of live Twitch streams; when one has ended, reads and analyses it.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        layout = Layout.from_env()
        try:
            report = poll(layout, open_client())
        except (NotConnected, PullBusy, HelixError, NoAnswer) as error:
            return dg.SkipReason(str(error))
        if not report.ended:
            return dg.SkipReason(in_words(report))
        ended = "-".join(sorted(one.stream_id for one in report.ended))
        return dg.SensorResult(run_requests=[lake_request(layout, assets, run_key=f"ended-{ended}")])

    return sensor
