"""What churn learns from: eligible viewers at past cut-offs with what became of them, out of the published tables.

A snapshot `as_of_date` knows the rows of that day; its cut-off is the midnight after it. The label: no activity in the
28 days after a gap of 7, on channels that started at least four streams in those 28 days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from ml.published import Published
from ml.questions.churn.features import Feature, OtherFeatures, Spec
from ml.questions.churn.fit import LABEL, Horizon
from ml.splits import LabelWindow, SplitError, TimeSplit, time_split

HORIZON = Horizon(gap_days=7, label_days=28)
STREAMS_IN_WINDOW = 4
# Under this many rows, or rows of either class, in any part a model would be noise.
MINIMUM_ROWS, MINIMUM_CLASS_ROWS = 100, 20
# A year of Mondays is enough to learn from, and keeps the time of a training flat as the lake grows.
TRAIN_SNAPSHOTS = 52

SPEC = Spec(
    (
        Feature("recency_days", "recency"),
        Feature("streams_missed", "missed"),
        Feature("attended_stream_count_7d", "attendance"),
        Feature("attended_stream_count_28d", "attendance"),
        Feature("attended_stream_count_56d", "attendance"),
        Feature("attendance_ratio_28d", "attendance", is_skewed=False),
        Feature("attendance_ratio_90d", "attendance", is_skewed=False),
        Feature("active_day_count_90d", "attendance"),
        Feature("attended_stream_trend_7_28d", "trend", is_skewed=False),
        Feature("attended_stream_trend_28_90d", "trend", is_skewed=False),
        Feature("cadence_z_score", "cadence", is_skewed=False),
        Feature("mean_gap_days", "cadence"),
        Feature("messages_per_stream_28d", "chat"),
        Feature("messages_per_stream", "chat"),
        Feature("message_trend_28_90d", "chat", is_skewed=False),
        Feature("tenure_days", "tenure"),
        Feature("attended_stream_count", "tenure"),
        Feature("subscribed_month_count", "ties"),
        Feature("event_count_90d", "ties"),
        Feature("donation_count", "ties"),
        Feature("creator_count_90d", "ties"),
    ),
    visits="active_day_count",
    first_days="tenure_days",
    last_days="recency_days",
)
KEYS = ["as_of_date", "creator_id", "platform", "viewer_id"]
_COLUMNS = ", ".join(f"f.{c}::double as {c}" for c in dict.fromkeys([*SPEC.columns, SPEC.visits]))


class NotEnough(SplitError):
    """There is too little history, or too few people, for a model; the message says what is missing."""


def as_of_of(window: LabelWindow) -> date:
    """The feature snapshot that knows everything before a window's cut-off."""
    return window.cutoff - timedelta(1)


def window_of(as_of: date) -> LabelWindow:
    """The label window of a snapshot."""
    return LabelWindow(as_of + timedelta(1), HORIZON.gap_days, HORIZON.label_days)


def split(published: Published, data_end: date) -> TimeSplit:
    """The latest split of the Monday snapshots whose labels are complete before `data_end`. Raises NotEnough."""
    days = published.frame("select distinct as_of_date from feat_viewers where isodow(as_of_date) = 1 order by 1")
    cutoffs = [d.date() + timedelta(1) for d in days["as_of_date"]]
    # The first eight weeks know less than the 56 days that eligibility asks for.
    first = min(cutoffs, default=data_end) + timedelta(56)
    try:
        latest = time_split(
            (c for c in cutoffs if c >= first),
            data_end=min(data_end, published.data_end),
            gap_days=HORIZON.gap_days,
            label_days=HORIZON.label_days,
        )
    except SplitError as error:
        raise NotEnough(str(error)) from error
    return TimeSplit(latest.train[-TRAIN_SNAPSHOTS:], latest.calibrate, latest.test, latest.data_end)


def labelled(published: Published, windows: Sequence[LabelWindow]) -> pd.DataFrame:
    """Eligible viewers of these snapshots with features and label, in a fixed order.

    A viewer of a channel that hardly streamed in the label window is left out: nobody could have come.
    Raises SplitError for a window that is not complete in the published data.
    """
    late = [w for w in windows if w.label_to > published.data_end]
    if late:
        raise SplitError(f"the labels of {late[0].cutoff} end on {late[0].label_to}, after the last observed day")
    return published.frame(
        f"""with windows as (
            select unnest($days::date[]) as as_of_date, unnest($froms::date[]) as label_from,
                unnest($tos::date[]) as label_to
        ),
        activity as (
            select d.event_date, c.creator_id, d.platform, coalesce(v.canonical_viewer_id, d.viewer_id) as viewer_id
            from fct_viewer_days d
            join dim_channels c using (platform, channel_id)
            left join dim_viewers v on d.platform = v.platform and d.viewer_id = v.viewer_id
        ),
        came as (
            select distinct w.as_of_date, t.creator_id, t.platform, t.viewer_id
            from windows w join activity t on t.event_date >= w.label_from and t.event_date < w.label_to
        ),
        on_air as (
            select w.as_of_date, s.creator_id, s.platform
            from windows w
            join fct_stream_platforms s on s.started_at >= w.label_from and s.started_at < w.label_to
            group by all having sum(s.stream_count) >= {STREAMS_IN_WINDOW}
        )
        select f.as_of_date, f.as_of_date + 1 as cutoff, f.creator_id, f.platform, f.viewer_id, {_COLUMNS},
            (came.viewer_id is null)::int as {LABEL}
        from feat_viewers f
        join windows w using (as_of_date)
        semi join on_air on f.as_of_date = on_air.as_of_date and f.creator_id = on_air.creator_id
            and f.platform = on_air.platform
        left join dim_viewers v on f.platform = v.platform and f.viewer_id = v.viewer_id
        left join came on f.as_of_date = came.as_of_date and f.creator_id = came.creator_id
            and f.platform = came.platform and came.viewer_id = coalesce(v.canonical_viewer_id, f.viewer_id)
        where f.is_churn_eligible
        order by all""",
        {
            "days": [as_of_of(w) for w in windows],
            "froms": [w.label_from for w in windows],
            "tos": [w.label_to for w in windows],
        },
    )


def parts(published: Published, split: TimeSplit) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(train, calibration, test); the test says who is in no training row. Raises NotEnough when a part is thin."""
    train, calibration, test = (
        labelled(published, windows) for windows in (split.train, [split.calibrate], [split.test])
    )
    for name, rows in (("training", train), ("calibration", calibration), ("test", test)):
        fewest = int(rows[LABEL].value_counts().reindex([0, 1], fill_value=0).min())
        if len(rows) < MINIMUM_ROWS or fewest < MINIMUM_CLASS_ROWS:
            raise NotEnough(
                f"the {name} part has {len(rows)} rows, {fewest} of the rarer class; "
                f"a model needs {MINIMUM_ROWS} and {MINIMUM_CLASS_ROWS}"
            )
    trained = set(map(tuple, train[KEYS[1:]].to_numpy()))
    return train, calibration, test.assign(is_new=[k not in trained for k in map(tuple, test[KEYS[1:]].to_numpy())])


def candidates(published: Published, as_of: date) -> pd.DataFrame:
    """Everybody with features as of a day, eligible or not, in a fixed order."""
    return published.frame(
        f"""select f.as_of_date, f.creator_id, f.platform, f.viewer_id, f.last_activity_at, f.is_churn_eligible,
            {_COLUMNS}
        from feat_viewers f where f.as_of_date = $day order by creator_id, platform, viewer_id""",
        {"day": as_of},
    )


def require(spec_hash: str) -> None:
    """Raises OtherFeatures when a model was trained on another specification than the one served now."""
    if spec_hash != SPEC.hash:
        raise OtherFeatures(
            f"the model was trained on features {spec_hash}, served are {SPEC.hash}: "
            "train it again (weekly_training_job)"
        )
