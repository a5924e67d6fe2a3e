"""The series that are forecast, out of the published channel days: one clock for days, one for weeks.

A day without a stream has no stream messages: that zero is known. Viewers off air are not zero but nothing, so
concurrent viewers are forecast per stream (see `ml.questions.next_stream`), never by day.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from ml.published import Published
from ml.questions.forecast.fit import DAILY, WEEKLY

DAILY_METRICS = ("message_count", "follow_count", "donation_usd")
WEEKLY_METRIC = "active_viewer_count_7d"
# What a model of the series is given.
INPUT = ["unique_id", "metric", "season", "days", "ds", "y"]


def unique_id(frame: pd.DataFrame) -> pd.Series:
    """Names a series: creator, platform, channel, metric."""
    return frame["creator_id"] + "|" + frame["platform"] + "|" + frame["channel_id"] + "|" + frame["metric"]


def series(published: Published, data_end: date) -> pd.DataFrame:
    """(unique_id, creator_id, platform, channel_id, metric, season, days, ds, y) before `data_end`, in a fixed order.

    Each series starts with its first value above zero; a series without one is not there.
    """
    daily = ", ".join(f"coalesce({m}, 0)::double as {m}" for m in DAILY_METRICS)
    rows = published.frame(
        f"""with daily as (
            unpivot (select creator_id, platform, channel_id, as_of_date as ds, {daily} from feat_channel_days
                where as_of_date < $until)
            on {", ".join(DAILY_METRICS)} into name metric value y
        ),
        rows as (
            select *, {DAILY.season} as season, {DAILY.days} as days from daily
            union all by name
            select creator_id, platform, channel_id, '{WEEKLY_METRIC}' as metric, as_of_date as ds,
                coalesce({WEEKLY_METRIC}, 0)::double as y, {WEEKLY.season} as season, {WEEKLY.days} as days
            from feat_channel_days where as_of_date < $until and iso_day_of_week = 7
        )
        select * from rows
        qualify ds >= min(ds) filter (y > 0) over (partition by creator_id, platform, channel_id, metric)
        order by creator_id, platform, channel_id, metric, ds""",
        {"until": data_end},
    )
    return rows.assign(unique_id=unique_id(rows)) if len(rows) else rows.assign(unique_id=[])
