"""The tournament: every method at every rolling origin, the winner of each series, the spread of its errors.

What a winner forecasts is made by `Forecaster`, which is the registered model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ml.questions.forecast.methods import MEDIAN, METHODS, ORDER, Budget, Floats, candidates, scale_of
from ml.splits import rolling_origins

TRUSTED = ["ml.questions.forecast.fit.Forecaster"]
HORIZON, JUDGED = 90, 28
STEP, ORIGINS, HELD_OUT = 14, 7, 2
MINIMUM_SEASONS, MINIMUM_ORIGINS = 8, 5
LEVEL = 0.8
MINIMUM_RESIDUALS = 50
BANDS = ((1, 7), (8, 28), (29, 90))


@dataclass(frozen=True)
class Clock:
    """The steps of a series: how many make a season, how far to forecast, how far a winner is judged."""

    season: int
    horizon: int = HORIZON
    judged: int = JUDGED
    step: int = STEP
    days: int = 1

    @staticmethod
    def of(rows: pd.DataFrame) -> Clock:
        """The clock of a series, by the days between its rows. Raises StopIteration for one that is none of ours."""
        return next(clock for clock in (DAILY, WEEKLY) if clock.days == int(rows["days"].iloc[0]))

    @property
    def minimum(self) -> int:
        """The shortest history a winner may be chosen from."""
        return max(MINIMUM_SEASONS * self.season, 16)


DAILY, WEEKLY = Clock(7), Clock(1, horizon=13, judged=4, step=2, days=7)


@dataclass
class Tournament:
    """One series: forecasts on the log scale by method, one row per origin; unknown actuals are nan."""

    name: str
    metric: str
    clock: Clock
    origins: list[int]
    actual: Floats
    forecasts: dict[str, Floats]
    scale: float
    log_scales: Floats
    status: str = "ok"
    reason: str | None = None
    winner: str = "seasonal_naive"
    failures: dict[str, str] = field(default_factory=dict)

    def errors(self, method: str, origins: slice) -> Floats:
        """Mean absolute scaled error of each origin, on the series' own scale."""
        steps = slice(0, self.clock.judged)
        forecast, actual = self.forecasts[method][origins, steps], self.actual[origins, steps]
        missed = np.abs(np.expm1(forecast) - np.expm1(actual))
        return np.asarray(np.nanmean(missed, axis=1) / self.scale)


def band_of(step_days: int) -> str:
    """The horizon band of a distance in days."""
    return next(f"{low}-{high}" for low, high in BANDS if step_days <= high or high == BANDS[-1][1])


def origins_of(length: int, clock: Clock) -> list[int]:
    """The rolling origins of a series, oldest first."""
    return rolling_origins(length, horizon=clock.judged, step=clock.step, count=ORIGINS, minimum=clock.minimum)


def too_short(length: int, clock: Clock) -> str:
    """Why a series with too few origins is not forecast."""
    needed = clock.minimum + clock.judged + (MINIMUM_ORIGINS - 1) * clock.step
    return f"{length} steps of history; five rolling origins need {needed}"


def run(name: str, metric: str, y: Floats, clock: Clock, budget: Budget | None = None) -> Tournament:
    """Every candidate at every origin, and the winner chosen on all origins but the last two.

    `budget` bounds the methods that have a limit over all series of a training.
    """
    log = np.log1p(np.maximum(y, 0))
    origins = origins_of(len(y), clock)
    actual = np.full((len(origins), clock.horizon), np.nan)
    for row, origin in enumerate(origins):
        observed = log[origin : origin + clock.horizon]
        actual[row, : len(observed)] = observed
    if len(origins) < MINIMUM_ORIGINS:
        reason = too_short(len(y), clock)
        return Tournament(name, metric, clock, origins, actual, {}, 1.0, np.ones(0), "insufficient_history", reason)
    budget = budget or Budget()
    forecasts: dict[str, Floats] = {}
    failures: dict[str, str] = {}
    for method in budget.affordable(candidates(log[: origins[0]], clock.season), origins):
        try:
            with budget.timed(method):
                forecasts[method] = np.array([METHODS[method](log[:o], clock.horizon, clock.season) for o in origins])
        except Exception as error:  # any library's fault loses its method, with its words, and nothing else
            failures[method] = f"{type(error).__name__}: {error}"[:200]
    tournament = Tournament(
        name,
        metric,
        clock,
        origins,
        actual,
        forecasts,
        scale_of(y[: origins[0]], clock.season),
        np.array([scale_of(log[:o], clock.season) for o in origins]),
        failures=failures,
    )
    selection = slice(0, len(origins) - HELD_OUT)
    means = {m: float(tournament.errors(m, selection).mean()) for m in forecasts}
    best = sorted(means, key=lambda m: means[m])[:3]
    if len(best) == 3:
        forecasts[MEDIAN] = np.median([forecasts[m] for m in best], axis=0)
    tournament.winner = choose({m: tournament.errors(m, selection) for m in forecasts})
    return tournament


def choose(errors: dict[str, Floats]) -> str:
    """The simplest method that is no worse than the best by one standard error of their difference over origins."""
    best = min(errors, key=lambda m: float(errors[m].mean()))
    for method in (m for m in ORDER if m in errors):
        difference = errors[method] - errors[best]
        if difference.mean() <= difference.std(ddof=1) / np.sqrt(len(difference)):
            return method
    return best


def residuals(tournaments: Iterable[Tournament], origins: slice) -> dict[str, Floats]:
    """Scaled residuals of the winners, pooled over series and origins, by metric and horizon band."""
    pools: dict[str, list[Floats]] = {}
    for series in tournaments:
        if series.status != "ok":
            continue
        missed = (series.actual - series.forecasts[series.winner])[origins] / series.log_scales[origins, None]
        for step in range(series.clock.horizon):
            key = f"{series.metric}|{band_of((step + 1) * series.clock.days)}"
            pools.setdefault(key, []).append(missed[:, step])
    joined = {key: np.concatenate(parts) for key, parts in pools.items()}
    return {key: values[np.isfinite(values)] for key, values in joined.items()}


def quantiles(pools: dict[str, Floats]) -> dict[str, list[float]]:
    """Split-conformal ends of the 80 % interval of each pool; a pool under fifty residuals has none."""
    ends = {}
    for key, values in pools.items():
        if len(values) >= MINIMUM_RESIDUALS:
            # (n + 1) corrects for the finite sample: Vovk et al., Lei et al. 2018.
            tail = (1 - LEVEL) / 2 * (1 + 1 / len(values))
            ends[key] = [
                float(q) for q in np.quantile(values, [max(tail - 2 / len(values), 0), 1 - tail + 2 / len(values)])
            ]
    return ends


def coverage(pools: dict[str, Floats], ends: dict[str, list[float]]) -> dict[str, float]:
    """Share of these residuals inside the ends that others gave."""
    return {k: float(np.mean((v >= ends[k][0]) & (v <= ends[k][1]))) for k, v in pools.items() if k in ends and len(v)}


class Forecaster(BaseEstimator):  # type: ignore[misc]
    """The winners of a tournament with their intervals: refits each on the history it is given.

    `winners` says by series the method, or the three of a median; a series it does not know is forecast seasonal-naive
    and says so. `ends` are the conformal ends by metric and band.
    """

    def __init__(self, winners: dict[str, list[str]] | None = None, ends: dict[str, list[float]] | None = None) -> None:
        self.winners = winners
        self.ends = ends

    def __sklearn_is_fitted__(self) -> bool:
        return self.winners is not None

    def predict(self, history: pd.DataFrame) -> pd.DataFrame:
        """From (unique_id, metric, season, days, ds, y) in order of ds: one row per series and step ahead.

        Returns unique_id, metric, step, value, value_low, value_high, status, method, reason.
        """
        parts = [self._one(str(name), rows) for name, rows in history.groupby("unique_id", sort=True)]
        return pd.concat(parts, ignore_index=True)

    def _one(self, name: str, rows: pd.DataFrame) -> pd.DataFrame:
        season, clock = int(rows["season"].iloc[0]), Clock.of(rows)
        metric = str(rows["metric"].iloc[0])
        log = np.log1p(np.maximum(rows["y"].to_numpy(float), 0))
        steps = pd.DataFrame({"unique_id": name, "metric": metric, "step": np.arange(1, clock.horizon + 1)})
        if len(log) < max(2 * season, 8):
            short = f"{len(log)} steps of history"
            return steps.assign(
                value=np.nan,
                value_low=np.nan,
                value_high=np.nan,
                status="insufficient_history",
                method="none",
                reason=short,
            )
        reason: str | None = None
        status, methods = "ok", (self.winners or {}).get(name)
        if methods is None:
            status, reason, methods = (
                "fallback",
                "the series was too short, or unknown, when the model was trained",
                ["seasonal_naive"],
            )
        try:
            mean = np.median([METHODS[m](log, clock.horizon, season) for m in methods], axis=0)
        except Exception as error:  # the served row says which method failed and how
            status, reason, methods = "fallback", f"{'+'.join(methods)} failed: {error}"[:200], ["seasonal_naive"]
            mean = METHODS["seasonal_naive"](log, clock.horizon, season)
        keys = [f"{metric}|{band_of(step * clock.days)}" for step in steps["step"]]
        low, high = (np.array([(self.ends or {}).get(k, [np.nan] * 2)[side] for k in keys]) for side in (0, 1))
        unit = scale_of(log, season)
        named = methods[0] if len(methods) == 1 else f"{MEDIAN}({'+'.join(methods)})"
        return steps.assign(
            value=np.expm1(np.maximum(mean, 0)),
            value_low=np.expm1(np.maximum(mean + low * unit, 0)),
            value_high=np.expm1(np.maximum(mean + high * unit, 0)),
            status=status,
            method=named,
            reason=reason,
        )


def forecaster(tournaments: Sequence[Tournament]) -> Forecaster:
    """The model of a finished tournament; its intervals come from all origins."""
    winners = {}
    for series in tournaments:
        if series.status == "ok":
            winners[series.name] = _members(series)
    return Forecaster(winners, quantiles(residuals(tournaments, slice(None))))


def _members(series: Tournament) -> list[str]:
    """The methods behind a winner: one, or the three whose median it is."""
    if series.winner != MEDIAN:
        return [series.winner]
    selection = slice(0, len(series.origins) - HELD_OUT)
    single = [m for m in series.forecasts if m != MEDIAN]
    return sorted(single, key=lambda m: float(series.errors(m, selection).mean()))[:3]
