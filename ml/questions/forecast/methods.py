"""The forecasting methods of the tournament, simplest first, and their unit of error. Which one serves: see `fit`.

All of them see log(1 + y): growth is a factor, and nothing is forecast below zero. A method that fails says so; there
is no silent fallback to another. Libraries are imported by the method that needs them: most series are served by simple
ones, and scoring imports nothing else.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from ml.seeds import seed

Floats = np.ndarray
Method = Callable[[Floats, int, int], Floats]

# A search of orders by AutoARIMA takes seconds on long series; on short ones it is worth them.
SHORT = 120
# Over this share of zeros a series is intermittent: demand comes in lumps.
INTERMITTENT = 0.15


def seasonal_naive(y: Floats, horizon: int, season: int) -> Floats:
    """The last season again."""
    return np.resize(y[-season:], horizon)


def seasonal_window_average(y: Floats, horizon: int, season: int, seasons: int | None = None) -> Floats:
    """The mean of the last seasons, place by place: four weeks of days, two days of hours."""
    count = seasons or (2 if season >= 24 else 4)
    lately = y[-season * min(count, len(y) // season) :]
    return np.resize(np.asarray(lately.reshape(-1, season).mean(axis=0)), horizon)


def theta(y: Floats, horizon: int, season: int) -> Floats:
    from statsforecast.models import DynamicOptimizedTheta

    return np.asarray(DynamicOptimizedTheta(season_length=season).forecast(y=y, h=horizon)["mean"])


def ets(y: Floats, horizon: int, season: int) -> Floats:
    from statsforecast.models import AutoETS

    # Errors and seasons are additive on the log scale; the trend is searched. Long seasons are for MSTL.
    model = "AZA" if 1 < season < 24 else "AZN"
    return np.asarray(AutoETS(season_length=season, model=model, damped=True).forecast(y=y, h=horizon)["mean"])


def mstl(y: Floats, horizon: int, season: int) -> Floats:
    from statsforecast.models import MSTL

    return np.asarray(MSTL(season_length=season).forecast(y=y, h=horizon)["mean"])


def arima(y: Floats, horizon: int, season: int) -> Floats:
    from statsforecast.models import AutoARIMA

    return np.asarray(AutoARIMA(season_length=season, max_p=2, max_q=2).forecast(y=y, h=horizon)["mean"])


def prophet(y: Floats, horizon: int, season: int) -> Floats:
    """Trend with change points and one season (Taylor, Letham 2018)."""
    from prophet import Prophet

    # The place in the season is all that counts of a date.
    dates = pd.date_range("2000-01-03", periods=len(y) + horizon, freq="h" if season == 24 else "D")
    # What it draws for intervals is left out: ours are the errors it made.
    model = Prophet(
        yearly_seasonality=False,
        weekly_seasonality=season == 7,
        daily_seasonality=season == 24,
        uncertainty_samples=0,
    )
    logging.getLogger("cmdstanpy").disabled = True  # two lines a fit; a fit that fails raises
    model.fit(pd.DataFrame({"ds": dates[: len(y)], "y": y}), seed=seed("forecast", "prophet"))
    return np.asarray(model.predict(pd.DataFrame({"ds": dates[len(y) :]}))["yhat"], dtype=float)


def croston(y: Floats, horizon: int, season: int) -> Floats:
    """Croston's method with the correction of Syntetos and Boylan, on the counts themselves."""
    from statsforecast.models import CrostonSBA

    return np.asarray(np.log1p(np.maximum(np.asarray(CrostonSBA().forecast(y=np.expm1(y), h=horizon)["mean"]), 0)))


def hurdle(y: Floats, horizon: int, season: int) -> Floats:
    """Share of the last eight same days with anything, times their mean when there was: Bernoulli times rate."""
    values = np.expm1(y[-season * min(8, len(y) // season) :]).reshape(-1, season)
    some = values > 0
    rate = np.where(some.any(axis=0), values.sum(axis=0) / np.maximum(some.sum(axis=0), 1), 0.0)
    return np.log1p(np.resize(some.mean(axis=0) * rate, horizon))


# From simple to rich: the order in which equals are preferred.
METHODS: dict[str, Method] = {
    "seasonal_naive": seasonal_naive,
    "seasonal_window_average": seasonal_window_average,
    "hurdle": hurdle,
    "croston": croston,
    "theta": theta,
    "ets": ets,
    "mstl": mstl,
    "arima": arima,
    "prophet": prophet,
}
MEDIAN = "median_of_three"
ORDER = (*METHODS, MEDIAN)
# Points a method may be fitted on in one training, over all series and origins: bound by points and not by the clock,
# so that the same history gives the same winners. A million are 400 series of a year of days: some three minutes.
LIMITED = {"prophet": 1_000_000}


def candidates(y: Floats, season: int) -> list[str]:
    """The methods worth trying on a series (on its log scale).

    Prophet is one wherever there is a season: without one it is a line.
    """
    lumpy = float(np.mean(y == 0)) > INTERMITTENT
    names = ["seasonal_naive", "seasonal_window_average", *(["hurdle", "croston"] if lumpy else ["theta", "ets"])]
    if season > 1 and not lumpy:
        names.append("mstl")
    if len(y) <= SHORT and not lumpy:
        names.append("arima")
    if season > 1:
        names.append("prophet")
    return names


class Budget:
    """What the methods with a limit have cost in one training: fits, points and processor seconds by method.

    A series whose fits no longer fit into the limit goes without the method, and `sentence` counts it.
    """

    def __init__(self, limits: Mapping[str, int] = LIMITED) -> None:
        self._limits = limits
        self.points: Counter[str] = Counter()
        self.fits: Counter[str] = Counter()
        self.seconds: dict[str, float] = defaultdict(float)
        self.left_out: Counter[str] = Counter()

    def affordable(self, methods: Sequence[str], origins: Sequence[int]) -> list[str]:
        """The methods whose fits at these origins are within their limits; they count as spent."""
        within = []
        for method in methods:
            if method in self._limits:
                if self.points[method] + sum(origins) > self._limits[method]:
                    self.left_out[method] += 1
                    continue
                self.points[method] += sum(origins)
                self.fits[method] += len(origins)
            within.append(method)
        return within

    @contextmanager
    def timed(self, method: str) -> Iterator[None]:
        """Adds the processor seconds of a block to its method."""
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[method] += time.process_time() - started

    def sentence(self, method: str) -> str:
        """What a method cost, and how many series went without it."""
        spent = f"{self.fits[method]:,} fits of {self.points[method]:,} points in {self.seconds[method]:.1f} s"
        without = f"; left out of {self.left_out[method]:,} series: its {self._limits[method]:,} points are spent"
        return f"{method}: {spent}{without if self.left_out[method] else ''}"


def scale_of(y: Floats, season: int) -> float:
    """Mean absolute seasonal difference: the unit of MASE (Hyndman, Koehler 2006). Never zero."""
    if len(y) <= season:
        return 1.0
    return max(float(np.mean(np.abs(y[season:] - y[:-season]))), 1e-6)
