"""Forecast's part of a scoring: forecasts with interval, status and scenarios; and how past ones turned out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd

from ml.cards import Score
from ml.published import Published, data_end_of
from ml.questions.forecast import dataset
from ml.questions.forecast.dataset import INPUT
from ml.questions.forecast.fit import DAILY, TRUSTED, WEEKLY, band_of
from ml.questions.forecast.methods import scale_of, seasonal_naive
from ml.scoring import Answers, Comparison, Scorer
from ml.serving import Served

KEPT, MORE, LESS = "schedule_kept", "one_more_stream_a_week", "one_less_stream_a_week"
# What a stream more or less changes: counts of what happens in streams.
EXPOSED = ("message_count", "follow_count", "donation_usd")
SCHEDULE_WEEKS = 8
# Forecasts are evaluated over so many days, each once they have passed whole.
EVALUATED_DAYS = (7, 28, 90)


class ForecastScorer(Scorer):
    """Refits the chosen method of each series on its history and forecasts 90 days."""

    trusted = TRUSTED

    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        history = dataset.series(published, min(data_end_of(as_of), published.data_end))
        if served is None or history.empty:
            return Answers({}, {"no_model": int(history["unique_id"].nunique())})
        named = history.drop_duplicates("unique_id")[["unique_id", "creator_id", "platform", "channel_id", "days"]]
        rows = served.model.predict(history[INPUT]).merge(named, on="unique_id")
        last_days = history.groupby("unique_id")["ds"].max()
        offsets = rows["step"] * rows["days"]
        targets = rows["unique_id"].map(last_days) + pd.to_timedelta(offsets, unit="D")
        rows["target_date"] = targets.dt.date
        rows["horizon_days"] = (targets - pd.Timestamp(as_of)).dt.days
        rows = rows[rows["horizon_days"].between(1, DAILY.horizon)]
        rows["backtest_error_ratio"] = rows["unique_id"].map(served.metadata["ratios"]).astype(float)
        bands = rows["metric"] + "|" + [band_of(int(o)) for o in rows["step"] * rows["days"]]
        rows["backtest_coverage_ratio"] = bands.map(served.metadata["coverage"]).astype(float)
        kept = rows.assign(scenario=KEPT)
        answers = pd.concat([kept, *scenarios(rows, _schedule(published, as_of))], ignore_index=True)
        by_status = rows.drop_duplicates("unique_id")["status"].value_counts()
        return Answers(
            {"channel_forecasts": answers.drop(columns=["unique_id", "step", "days"])},
            {str(status): int(count) for status, count in by_status.items()},
        )

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        truth = dataset.series(published, published.data_end)
        for day, rows in answers.items():
            forecasts = rows[(rows["scenario"] == KEPT) & rows["status"].isin(["ok", "fallback"])]
            both = forecasts.assign(unique_id=dataset.unique_id(forecasts), ds=pd.to_datetime(forecasts["target_date"]))
            both = both.merge(truth[["unique_id", "ds", "y", "season"]], on=["unique_id", "ds"])
            passed = [days for days in EVALUATED_DAYS if day + timedelta(days) <= published.last_day]
            if passed and not both.empty:
                past = truth[truth["ds"] <= pd.Timestamp(day)]
                horizons = pd.DataFrame({"passed": passed})
                scores = partial(_live_scores, day, both, past, passed)
                yield Comparison(day, both, scores, [past[["unique_id", "ds", "y"]], horizons])


SCORER = ForecastScorer()


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
    changed = []
    for name, step in ((MORE, 1.0), (LESS, -1.0)):
        factor = 1 + step * share / exposed["weekly"]
        assumption = (
            "assumes "
            + exposed["weekly"].round(1).astype(str)
            + " streams a week now, "
            + ("one more" if step > 0 else "one less")
            + " worth an average one, and no effect on the others"
        )
        scenario = exposed.assign(
            scenario=name, reason=assumption, **{c: exposed[c] * factor for c in ("value", "value_low", "value_high")}
        )
        changed.append(scenario.drop(columns=["weekly", "on_air_share"]))
    return changed


def _live_scores(as_of: date, both: pd.DataFrame, past: pd.DataFrame, passed: Sequence[int]) -> list[Score]:
    """Errors over the numbers of days that have passed whole, against seasonal-naive of that day."""
    history = {name: y.to_numpy(float) for name, y in past.groupby("unique_id")["y"]}
    scores = []
    for horizon in passed:
        part = both[both["horizon_days"] <= horizon]
        ratios, inside = [], []
        for name, rows in part.groupby("unique_id", sort=True):
            before = history.get(name, np.empty(0))
            season = int(rows["season"].iloc[0])
            clock = DAILY if season == DAILY.season else WEEKLY
            naive = np.expm1(seasonal_naive(np.log1p(before), clock.horizon, season))[: len(rows)]
            scale = scale_of(before, season)
            base = float(np.mean(np.abs(naive - rows["y"]))) / scale
            error = float(np.mean(np.abs(rows["value"] - rows["y"]))) / scale
            ratios.append(error / max(base, 1e-9) if base else np.nan)
            bounded = rows.dropna(subset=["value_low"])
            inside += list(
                (bounded["y"] >= bounded["value_low"] - 1e-9) & (bounded["y"] <= bounded["value_high"] + 1e-9)
            )
        if not ratios:
            continue
        window = (as_of + timedelta(1), as_of + timedelta(horizon))
        ratio, baseline = float(np.nanmedian(ratios)), ("seasonal_naive", 1.0)
        scores.append(Score(f"median_error_ratio_{horizon}d", ratio, len(ratios), window, baseline=baseline))
        if inside:
            scores.append(Score(f"coverage_{horizon}d", float(np.mean(inside)), len(inside), window))
    return scores
