"""Streams as they could be known before they began, with what they became; and the streams a creator might do next.

Stream-indexed: days off air are not observations, and nothing is imputed for them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from ml.published import Published

NUMERIC = [
    "last_4_over_last_12",
    "previous_over_last_12",
    "weekday_over_last_12",
    "log_duration_hours",
    "log_hours_since_previous",
]
CATEGORICAL = ["creator_weekday", "creator_hour", "creator_category"]
TARGETS = ["average", "peak"]
# Averages over a handful of streams say little, and a stream with hardly a sample has no average.
MINIMUM_STREAMS, MINIMUM_OBSERVED, MINIMUM_BEFORE = 40, 0.5, 4
EVIDENCE_DAYS, EVIDENCE_STREAMS, CATEGORIES = 180, 3, 5
DURATION_STREAMS, MARGINAL = 12, 0.7


def streams(published: Published, until: date) -> pd.DataFrame:
    """One row per observed stream that ended before `until`, in order of start: features, level, log ratios to it."""
    rows = published.frame(
        f"""select s.creator_id, s.broadcast_id, s.started_at, s.ended_at, f.iso_day_of_week, f.hour_of_day,
            coalesce(s.category_name, 'unknown') as category_name, s.live_hours as duration_hours,
            f.hours_since_previous, f.average_viewers_last_4, f.average_viewers_last_12, f.previous_average_viewers,
            f.same_weekday_average_viewers, s.average_viewers, s.peak_viewers::double as peak_viewers
        from feat_stream_starts f join fct_streams s using (broadcast_id)
        where s.ended_at < $until and s.average_viewers > 0 and s.peak_viewers > 0
            and s.observed_ratio >= {MINIMUM_OBSERVED} and not coalesce(s.is_rerun, false)
            and f.stream_count_last_12 >= {MINIMUM_BEFORE} and f.average_viewers_last_12 > 0
        order by s.started_at, s.broadcast_id""",
        {"until": until},
    )
    return prepared(rows).assign(
        average=np.log(rows["average_viewers"] / rows["average_viewers_last_12"]),
        peak=np.log(rows["peak_viewers"] / rows["average_viewers_last_12"]),
    )


def prepared(rows: pd.DataFrame) -> pd.DataFrame:
    """The model's columns: everything relative to the creator's last twelve streams."""
    level = rows["average_viewers_last_12"]
    return rows.assign(
        last_4_over_last_12=_log_ratio(rows["average_viewers_last_4"], level),
        previous_over_last_12=_log_ratio(rows["previous_average_viewers"], level),
        weekday_over_last_12=_log_ratio(rows["same_weekday_average_viewers"], level),
        log_duration_hours=np.log(rows["duration_hours"].clip(lower=0.25).astype(float)),
        log_hours_since_previous=np.log1p(rows["hours_since_previous"].astype(float)),
        creator_weekday=rows["creator_id"] + "|" + rows["iso_day_of_week"].astype(str),
        creator_hour=rows["creator_id"] + "|" + (rows["hour_of_day"] // 3).astype(str),
        creator_category=rows["creator_id"] + "|" + rows["category_name"],
    )


def _log_ratio(part: pd.Series, level: pd.Series) -> pd.Series:
    return pd.Series(np.log(part.astype(float).where(part > 0) / level.astype(float)), index=part.index)


def options(published: Published, as_of: date) -> pd.DataFrame:
    """Every start (weekday, hour) a creator used lately, crossed with its categories and usual durations.

    `evidence_stream_count` counts streams on that weekday within an hour of that start.
    """
    return published.frame(
        f"""with recent as (
            select f.creator_id, f.iso_day_of_week, f.hour_of_day,
                coalesce(s.category_name, 'unknown') as category_name, s.live_hours,
                s.average_viewers, s.ended_at, f.started_at
            from feat_stream_starts f join fct_streams s using (broadcast_id)
            where s.ended_at < $day::date + 1 and s.started_at >= $day::date - {EVIDENCE_DAYS} and s.average_viewers > 0
        ),
        starts as (
            select a.creator_id, a.iso_day_of_week, a.hour_of_day, count(*) as evidence_stream_count,
                avg(b.average_viewers) as same_weekday_average_viewers
            from (select distinct creator_id, iso_day_of_week, hour_of_day from recent) a
            join recent b on a.creator_id = b.creator_id and a.iso_day_of_week = b.iso_day_of_week
                and abs(a.hour_of_day - b.hour_of_day) <= 1
            group by all
        ),
        categories as (
            select creator_id, category_name from recent group by creator_id, category_name
            qualify row_number() over (partition by creator_id order by count(*) desc, category_name) <= {CATEGORIES}
        ),
        durations as (
            select creator_id,
                unnest(list_distinct(list_transform(
                    quantile_cont(live_hours, [0.25, 0.5, 0.75]), lambda h: round(h * 2) / 2
                ))) as duration_hours
            from recent group by creator_id
        ),
        levels as (
            select creator_id,
                avg(average_viewers) filter (place <= 12) as average_viewers_last_12,
                avg(average_viewers) filter (place <= 4) as average_viewers_last_4,
                max(average_viewers) filter (place = 1) as previous_average_viewers,
                count(*) as streams,
                median(gap) as hours_since_previous
            from (
                select *, row_number() over later as place,
                    date_diff('minute', lead(ended_at) over later, started_at) / 60.0 as gap
                from recent window later as (partition by creator_id order by started_at desc)
            )
            group by all having count(*) >= {MINIMUM_BEFORE}
        )
        select * from starts join levels using (creator_id) join categories using (creator_id)
        join durations using (creator_id)
        where duration_hours > 0
        order by creator_id, iso_day_of_week, hour_of_day, category_name, duration_hours""",
        {"day": as_of},
    )


def best_durations(published: Published, as_of: date) -> pd.DataFrame:
    """Per creator the hours after which a further half hour holds under 70 % of the stream's average viewers.

    Over the streams of the last 180 days that lasted that long; no row under twelve streams.
    """
    return published.frame(
        f"""with recent as (
            select creator_id, broadcast_id, started_at, average_viewers from fct_streams
            where ended_at < $day::date + 1 and started_at >= $day::date - {EVIDENCE_DAYS} and average_viewers > 0
        ),
        halves as (
            select r.creator_id, r.broadcast_id, r.average_viewers,
                (date_diff('minute', r.started_at, m.minute_at) // 30)::int as half,
                sum(m.viewer_seconds) / 60.0 / count(distinct m.minute_at) as viewers
            from recent r
            join fct_stream_platforms p on r.broadcast_id = p.broadcast_id
            join fct_stream_minutes m on m.platform = p.platform and m.channel_id = p.channel_id
                and m.minute_at >= r.started_at and m.minute_at < r.started_at + interval 12 hour
                and m.minute_at < p.ended_at
            where m.observed_seconds >= 30
            group by all
        ),
        curve as (
            select creator_id, half, median(viewers / average_viewers) as held, count(*) as streams
            from halves group by all having count(*) >= {DURATION_STREAMS}
        )
        select creator_id, min(half) filter (held < {MARGINAL} and half > 1) * 0.5 as best_duration_hours,
            max(half) * 0.5 + 0.5 as longest_hours
        from curve group by all order by all""",
        {"day": as_of},
    )
