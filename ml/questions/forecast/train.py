"""Forecast's part of a training: every series' tournament, and what is reported of the winners."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml import plots
from ml.cards import Score
from ml.published import Published, data_end_of
from ml.questions.forecast import dataset
from ml.questions.forecast.dataset import INPUT
from ml.questions.forecast.evaluate import BASELINE, HeldOut, conditions, evaluate
from ml.questions.forecast.fit import (
    DAILY,
    HELD_OUT,
    LEVEL,
    MINIMUM_ORIGINS,
    TRUSTED,
    Clock,
    Forecaster,
    Tournament,
    forecaster,
    origins_of,
    run,
    too_short,
)
from ml.questions.forecast.methods import LIMITED, Budget
from ml.serving import Served
from ml.splits import SplitError
from ml.training import Evaluation, Trainer

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class History:
    """The series known as of a day (see `dataset.series`)."""

    as_of: date
    rows: pd.DataFrame


@dataclass(frozen=True)
class Tournaments:
    """The tournament of every series, and what the methods with a limit spent of it."""

    series: Sequence[Tournament]
    budget: Budget


class ForecastTrainer(Trainer[History, Tournaments]):
    """Holds a tournament per series on rolling origins; the last two origins choose nothing and judge everything."""

    purpose = "The next 90 days of each channel's daily and weekly counts."
    limits = (
        "Knows a channel's past and its week, not its plans: a holiday, a new game or a raid are not in it.",
        "Days without a stream are zeros of stream counts; viewers by day are not forecast at all, only per stream.",
        "Beyond 28 days nothing was chosen by error: the winner of the first four weeks goes on.",
    )
    trusted = TRUSTED

    def split(self, published: Published, as_of: date) -> History:
        rows = dataset.series(published, min(data_end_of(as_of), published.data_end))
        if rows.empty:
            raise SplitError("no channel has a day with anything")
        lengths = [(len(of_one), Clock.of(of_one)) for _, of_one in rows.groupby("unique_id", sort=True)]
        if not any(len(origins_of(*length)) >= MINIMUM_ORIGINS for length in lengths):
            raise SplitError(too_short(*lengths[0]))
        return History(as_of, rows)

    def fit(self, data: History, champion: Served | None) -> Tournaments:
        budget = Budget()
        tournaments = [
            run(str(name), str(rows["metric"].iloc[0]), rows["y"].to_numpy(float), Clock.of(rows), budget)
            for name, rows in data.rows.groupby("unique_id", sort=True)
        ]
        for method in LIMITED:
            logging.getLogger(__name__).info(budget.sentence(method))
        return Tournaments(tournaments, budget)

    def evaluate(self, data: History, fitted: Tournaments, champion: Served | None) -> Evaluation:
        series, history = fitted.series, data.rows
        numbers = evaluate(series)
        if not numbers.ratios:
            raise SplitError("nothing happened in the weeks kept for judging")
        model = forecaster(series)
        first = history["unique_id"] == history["unique_id"].iloc[0]
        return Evaluation(
            kind="tournament",
            title="tournament",
            model=model,
            example=history.loc[first, INPUT],
            conditions=conditions(series, numbers, champion.model if champion else None),
            scores=_scores(data.as_of, numbers),
            numbers=_table(series, numbers),
            facts={
                "series": len(series),
                "days": f"{history['ds'].min():%Y-%m-%d} to {data.as_of}",
                **{method: fitted.budget.sentence(method) for method in LIMITED},
            },
            inputs={"train": ("feat_channel_days", history[INPUT])},
            rows=len(history),
            data_from=history["ds"].min().date(),
            data_end=data_end_of(data.as_of),
            baseline=BASELINE,
            metadata={"coverage": numbers.coverage, "ratios": numbers.ratios},
            parameters={
                "series": len(series),
                "horizon_days": DAILY.horizon,
                "judged_days": DAILY.judged,
                "origins": max(len(s.origins) for s in series),
                "held_out": HELD_OUT,
            },
            metrics={
                "median_error_ratio": numbers.median_ratio,
                "worse_series_share": numbers.worse_share,
                "coverage": numbers.covered,
                **{f"{method}_fits": float(fitted.budget.fits[method]) for method in LIMITED},
                **{f"{method}_seconds": fitted.budget.seconds[method] for method in LIMITED},
            },
            folds={"fold_error": _fold_errors(series)},
            figures={f"fan_{n}": partial(_fan, s, history, model) for n, s in enumerate(_pictured(series))},
        )


TRAINER = ForecastTrainer()


def _fold_errors(series: Sequence[Tournament]) -> list[float]:
    held = [s for s in series if s.status == "ok"]
    return [
        float(np.mean([s.errors(s.winner, slice(fold, fold + 1))[0] for s in held if fold < len(s.origins)]))
        for fold in range(max(len(s.origins) for s in held))
    ]


def _table(series: Sequence[Tournament], numbers: HeldOut) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "series": s.name,
                "status": s.status,
                "method": s.winner if s.status == "ok" else "none",
                "error": numbers.errors.get(s.name, float("nan")),
                "ratio": numbers.ratios.get(s.name, float("nan")),
                "remark": s.reason or "; ".join(f"{m} failed: {w}" for m, w in s.failures.items()) or "-",
            }
            for s in series
        ]
    )


def _pictured(series: Sequence[Tournament]) -> list[Tournament]:
    """One series per metric: enough to see whether the forecasts make sense."""
    first = {s.metric: s for s in reversed(series) if s.status == "ok"}
    return [first[m] for m in sorted(first)]


def _fan(series: Tournament, history: pd.DataFrame, model: Forecaster) -> Figure:
    rows = history[history["unique_id"] == series.name]
    forecast = model.predict(rows[INPUT])
    step = series.clock.days
    future = [rows["ds"].iloc[-1] + timedelta(int(n) * step) for n in forecast["step"]]
    past = rows.tail(120 // step if step > 1 else 120)
    title = f"{series.metric}, {rows['platform'].iloc[0]}: {forecast['method'].iloc[0]}, {LEVEL:.0%} interval"
    lines = {"forecast": forecast["value"]}
    return plots.fan(title, (past["ds"], past["y"]), future, lines, forecast["value_low"], forecast["value_high"])


def _scores(as_of: date, numbers: HeldOut) -> list[Score]:
    window = (as_of - timedelta(DAILY.judged + DAILY.step - 1), as_of)
    by_metric = {
        "median_error_ratio": (numbers.median_ratio, len(numbers.ratios)),
        "coverage": (numbers.covered, numbers.residual_count),
        "worse_series_share": (numbers.worse_share, len(numbers.ratios)),
    }
    return [
        Score(m, value, rows, window, baseline=(BASELINE, 1.0) if m == "median_error_ratio" else None)
        for m, (value, rows) in by_metric.items()
        if np.isfinite(value)
    ]
