"""Forecasts as of a day with interval, status and scenarios; and how past ones turned out."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from data_lake.layout import Layout
from ml import cards, predictions
from ml.published import Published, data_end_of
from ml.questions.forecast import dataset as data
from ml.questions.forecast.fit import DAILY, TRUSTED, WEEKLY, band_of
from ml.questions.forecast.methods import scale_of, seasonal_naive
from ml.questions.forecast.train import FAMILY, INPUT
from ml.threads import one_thread
from ml.tracking import Registry

TABLE = "channel_forecasts"
KEPT, MORE, LESS = "schedule_kept", "one_more_stream_a_week", "one_less_stream_a_week"
# What a stream more or less changes: counts of what happens in streams.
EXPOSED = ("message_count", "follow_count", "donation_usd")
SCHEDULE_WEEKS = 8
# Forecasts are judged over so many days, each once they have passed whole.
JUDGED_DAYS = (7, 28, 90)
KEYS = ["creator_id", "platform", "channel_id", "metric", "scenario", "target_date"]


@one_thread
def score(layout: Layout, as_of: date) -> dict[str, int]:
    """Write predictions/channel_forecasts as of a day; returns the rows by status. Without a version, no rows."""
    with Published(layout) as published:
        history = data.series(published, min(data_end_of(as_of), published.data_end))
        schedule = _schedule(published, as_of)
    registry = Registry(layout)
    chosen = registry.version_for(FAMILY, as_of)
    if chosen is None or history.empty:
        predictions.write(layout, TABLE, as_of, FAMILY, pd.DataFrame())
        return {"no_model": int(history["unique_id"].nunique())}
    model, metadata = registry.load(chosen, TRUSTED)
    said = model.predict(history[INPUT])
    named = history.drop_duplicates("unique_id")[["unique_id", "creator_id", "platform", "channel_id", "days"]]
    rows = said.merge(named, on="unique_id")
    lasts = history.groupby("unique_id")["ds"].max()
    offsets = rows["step"] * rows["days"]
    targets = rows["unique_id"].map(lasts) + pd.to_timedelta(offsets, unit="D")
    rows["target_date"] = targets.dt.date
    rows["horizon_days"] = (targets - pd.Timestamp(as_of)).dt.days
    rows = rows[rows["horizon_days"].between(1, DAILY.horizon)]
    rows["backtest_error_ratio"] = rows["unique_id"].map(metadata["ratios"]).astype(float)
    bands = rows["metric"] + "|" + [band_of(int(o)) for o in rows["step"] * rows["days"]]
    rows["backtest_coverage_ratio"] = bands.map(metadata["coverage"]).astype(float)
    full = pd.concat([rows.assign(scenario=KEPT), *scenarios(rows, schedule)], ignore_index=True)
    stamped = full.assign(model_name=FAMILY, model_version=chosen.version, run_id=chosen.run_id)
    columns = [c.name for c in predictions.contract(TABLE).columns if c.name != "as_of_date"]
    predictions.write(layout, TABLE, as_of, FAMILY, stamped[columns])
    return {str(k): int(v) for k, v in rows.drop_duplicates("unique_id")["status"].value_counts().items()}


def _schedule(published: Published, as_of: date) -> pd.DataFrame:
    """Streams a week of the last eight weeks by channel, and the share of follows that came on days on air."""
    return published.frame(
        f"""select creator_id, platform, channel_id, sum(stream_start_count) / {SCHEDULE_WEEKS}.0 as weekly,
            coalesce(sum(follow_count) filter (is_on_air) / nullif(sum(follow_count), 0), 1.0)::double as on_air_share
        from feat_channel_days where as_of_date <= $day and as_of_date > $day::date - {7 * SCHEDULE_WEEKS}
        group by all order by all""",
        {"day": as_of},
    )


def scenarios(rows: pd.DataFrame, schedule: pd.DataFrame) -> list[pd.DataFrame]:
    """The same forecasts with one stream a week more, and one less: an average stream's worth is added or taken.

    Left out where there is under one stream a week (nothing to take, and no rhythm to add to).
    """
    exposed = rows[rows["metric"].isin(EXPOSED)].merge(schedule, on=["creator_id", "platform", "channel_id"])
    exposed = exposed[exposed["weekly"] >= 1]
    share = np.where(exposed["metric"] == "follow_count", exposed["on_air_share"], 1.0)
    found = []
    for name, step in ((MORE, 1.0), (LESS, -1.0)):
        factor = 1 + step * share / exposed["weekly"]
        assumed = (
            "assumes "
            + exposed["weekly"].round(1).astype(str)
            + " streams a week now, "
            + ("one more" if step > 0 else "one less")
            + " worth an average one, and no effect on the others"
        )
        changed = exposed.assign(
            scenario=name, reason=assumed, **{c: exposed[c] * factor for c in ("value", "value_low", "value_high")}
        )
        found.append(changed.drop(columns=["weekly", "on_air_share"]))
    return found


def outcomes(layout: Layout) -> int:
    """Judge past forecasts on the days that have passed since; returns the as-of days judged."""
    judged = 0
    with Published(layout) as published:
        truth = data.series(published, published.data_end)
        due = predictions.to_judge(
            layout, TABLE, FAMILY, last_day=published.last_day, due_days=JUDGED_DAYS[0], whole_days=JUDGED_DAYS[-1]
        )
        for as_of in due:
            said = predictions.read(layout, TABLE, as_of, FAMILY)
            said = said[(said["scenario"] == KEPT) & said["status"].isin(["ok", "fallback"])]
            judged += _judge(layout, as_of, said, truth, published.last_day)
    return judged


def _judge(layout: Layout, as_of: date, said: pd.DataFrame, truth: pd.DataFrame, last_day: date) -> int:
    """Errors over the JUDGED_DAYS that have passed whole, against seasonal-naive of that day."""
    said = said.assign(unique_id=data.unique_id(said), ds=pd.to_datetime(said["target_date"]))
    both = said.merge(truth[["unique_id", "ds", "y", "season"]], on=["unique_id", "ds"])
    rows = []
    for horizon in JUDGED_DAYS:
        if as_of + timedelta(horizon) > last_day:
            continue
        part = both[both["horizon_days"] <= horizon]
        ratios, inside = [], []
        for name, mine in part.groupby("unique_id", sort=True):
            past = truth[(truth["unique_id"] == name) & (truth["ds"] <= pd.Timestamp(as_of))]["y"].to_numpy(float)
            season = int(mine["season"].iloc[0])
            clock = DAILY if season == DAILY.season else WEEKLY
            naive = np.expm1(seasonal_naive(np.log1p(past), clock.horizon, season))[: len(mine)]
            scale = scale_of(past, season)
            base = float(np.mean(np.abs(naive - mine["y"]))) / scale
            ratios.append(
                float(np.mean(np.abs(mine["value"] - mine["y"]))) / scale / max(base, 1e-9) if base else np.nan
            )
            known = mine.dropna(subset=["value_low"])
            inside += list((known["y"] >= known["value_low"] - 1e-9) & (known["y"] <= known["value_high"] + 1e-9))
        if not ratios:
            continue
        trained = cards.version_of(FAMILY, as_of, part)
        window = (as_of + timedelta(1), as_of + timedelta(horizon))
        rows.append(
            cards.score_row(
                trained,
                "live",
                f"median_error_ratio_{horizon}d",
                float(np.nanmedian(ratios)),
                rows=len(ratios),
                window=window,
                baseline=("seasonal_naive", 1.0),
            )
        )
        if inside:
            rows.append(
                cards.score_row(
                    trained, "live", f"coverage_{horizon}d", float(np.mean(inside)), rows=len(inside), window=window
                )
            )
    if rows:
        predictions.write_live(layout, as_of, FAMILY, pd.DataFrame(rows))
    return int(bool(rows))
