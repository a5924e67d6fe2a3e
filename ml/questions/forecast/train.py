"""Hold the tournament as of a day: fit, evaluate, log, gate, promote, in this order and only so."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import mlflow
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from data_lake.layout import Layout
from ml import cards, plots
from ml.gates import Gate
from ml.outcome import Outcome
from ml.published import Published, data_end_of
from ml.questions.forecast import dataset as data
from ml.questions.forecast.evaluate import BASELINE, Evaluation, evaluate, gate
from ml.questions.forecast.fit import DAILY, HELD_OUT, LEVEL, TRUSTED, WEEKLY, Forecaster, Tournament, forecaster, run
from ml.seeds import ROOT_SEED
from ml.threads import one_thread
from ml.tracking import Registry, Trained, log_figures

FAMILY = "forecast"
INPUT = ["unique_id", "metric", "season", "days", "ds", "y"]
LIMITS = (
    "Knows a channel's past and its week, not its plans: a holiday, a new game or a raid are not in it.",
    "Days without a stream are zeros of stream counts; viewers by day are not forecast at all, only per stream.",
    "Beyond 28 days nothing was chosen by error: the winner of the first four weeks goes on.",
)


@one_thread
def train(layout: Layout, as_of: date) -> Outcome:
    """Train with what was known at the end of `as_of`; registers a version, and promotes it when the gate lets it."""
    with Published(layout) as published:
        history = data.series(published, min(data_end_of(as_of), published.data_end))
    found = [
        run(
            str(name),
            str(rows["metric"].iloc[0]),
            rows["y"].to_numpy(float),
            DAILY if rows["days"].iloc[0] == 1 else WEEKLY,
        )
        for name, rows in history.groupby("unique_id", sort=True)
    ]
    if not any(s.status == "ok" for s in found):
        return Outcome("insufficient_data", found[0].reason or "" if found else "no channel has a day with anything")
    numbers = evaluate(found)
    if not numbers.ratios:
        return Outcome("insufficient_data", "nothing happened in the weeks kept for judging")
    registry = Registry(layout)
    champion = registry.champion(FAMILY)
    held = registry.load(champion, TRUSTED)[0] if champion else None
    verdict = gate(found, numbers, held)
    model = forecaster(found)
    parameters = {
        "as_of": as_of,
        "seed": ROOT_SEED,
        "series": len(found),
        "horizon_days": DAILY.horizon,
        "judged_days": DAILY.judged,
        "origins": max(len(s.origins) for s in found),
        "held_out": HELD_OUT,
    }
    tags = {"as_of": as_of.isoformat(), "model_kind": "tournament"}
    with registry.run(FAMILY, f"tournament as of {as_of}", tags, parameters):
        registry.log_data(history[INPUT], "feat_channel_days", "train")
        _log_numbers(found, numbers)
        log_figures({f"fan_{n}": partial(_fan, s, history, model) for n, s in enumerate(_pictured(found))})
        example = history.loc[history["unique_id"] == history["unique_id"].iloc[0], INPUT]
        trained = registry.register(
            FAMILY,
            model,
            example,
            as_of=as_of,
            data_end=data_end_of(as_of),
            trusted=TRUSTED,
            metadata={"coverage": numbers.coverage, "ratios": numbers.ratios},
            tags=tags,
        )
        trained = registry.conclude(trained, passed=verdict.passed, message=verdict.message)
        facts = {"as of": as_of, "series": len(found), "days": f"{history['ds'].min():%Y-%m-%d} to {as_of}"}
        text = cards.card(
            "forecast: tournament",
            "The next 90 days of each channel's daily and weekly counts.",
            facts,
            _table(found, numbers),
            verdict,
            LIMITS,
        )
        cards.log(text, verdict)
    promoted = registry.promote(trained)
    _write(layout, as_of, trained, history, numbers, verdict)
    return Outcome("ok", verdict.message, trained, verdict, promoted)


def _log_numbers(found: list[Tournament], numbers: Evaluation) -> None:
    mlflow.log_metrics({"median_error_ratio": numbers.median_ratio, "worse_series_share": numbers.worse_share})
    if numbers.coverage:
        mlflow.log_metric("coverage", numbers.covered)
    known = [s for s in found if s.status == "ok"]
    for fold in range(max(len(s.origins) for s in known)):
        errors = [s.errors(s.winner, slice(fold, fold + 1))[0] for s in known if fold < len(s.origins)]
        mlflow.log_metric("fold_error", float(np.mean(errors)), step=fold)
    mlflow.log_table(_table(found, numbers), "series.json")


def _table(found: list[Tournament], numbers: Evaluation) -> pd.DataFrame:
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
            for s in found
        ]
    )


def _pictured(found: list[Tournament]) -> list[Tournament]:
    """One series per metric: enough to see whether the forecasts make sense."""
    first = {s.metric: s for s in reversed(found) if s.status == "ok"}
    return [first[m] for m in sorted(first)]


def _fan(series: Tournament, history: pd.DataFrame, model: Forecaster) -> Figure:
    rows = history[history["unique_id"] == series.name]
    said = model.predict(rows[INPUT])
    step = series.clock.days
    future = [rows["ds"].iloc[-1] + timedelta(int(n) * step) for n in said["step"]]
    past = rows.tail(120 // step if step > 1 else 120)
    title = f"{series.metric}, {rows['platform'].iloc[0]}: {said['method'].iloc[0]}, {LEVEL:.0%} interval"
    return plots.fan(
        title, (past["ds"], past["y"]), future, {"forecast": said["value"]}, said["value_low"], said["value_high"]
    )


def _write(
    layout: Layout, as_of: date, trained: Trained, history: pd.DataFrame, numbers: Evaluation, verdict: Gate
) -> None:
    window = (as_of - timedelta(DAILY.judged + DAILY.step - 1), as_of)
    said = {
        "median_error_ratio": (numbers.median_ratio, len(numbers.ratios)),
        "coverage": (numbers.covered, numbers.residual_count),
        "worse_series_share": (numbers.worse_share, len(numbers.ratios)),
    }
    rows = [
        cards.score_row(
            trained,
            "backtest",
            m,
            v,
            rows=n,
            window=window,
            baseline=(BASELINE, 1.0) if m == "median_error_ratio" else None,
        )
        for m, (v, n) in said.items()
        if np.isfinite(v)
    ]
    cards.write_backtest(
        layout,
        as_of,
        trained,
        rows,
        kind="tournament",
        rows=len(history),
        data_from=history["ds"].min().date(),
        baseline=BASELINE,
        gate=verdict,
    )
