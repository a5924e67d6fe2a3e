"""How good a tournament's winners are on the two origins that chose nothing, against seasonal-naive; and the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from ml.gates import Condition, calibrated, no_worse_than_champion
from ml.metrics import Interval, paired_bootstrap
from ml.questions.forecast.fit import HELD_OUT, LEVEL, Forecaster, Tournament, coverage, quantiles, residuals
from ml.questions.forecast.methods import Floats

BASELINE = "seasonal_naive"
# How far the share inside the intervals may be from 80 %, and how many series may be clearly worse than the baseline.
COVERAGE_MARGIN = 0.10
# In units of the error of seasonal-naive on its own past: twenty held-out numbers cannot tell a tenth apart.
CHAMPION_MARGIN = 0.10
WORSE, WORSE_SHARE = 1.05, 0.10


@dataclass(frozen=True)
class HeldOut:
    """The held-out numbers of a tournament. `ratios` by series: error over the error of seasonal-naive."""

    ratios: dict[str, float]
    errors: dict[str, float]
    coverage: dict[str, float]
    series: int
    residual_count: int

    @property
    def median_ratio(self) -> float:
        return float(np.median(list(self.ratios.values()))) if self.ratios else float("nan")

    @property
    def worse_share(self) -> float:
        return float(np.mean([r > WORSE for r in self.ratios.values()])) if self.ratios else float("nan")

    @property
    def covered(self) -> float:
        """Share inside the intervals over all metrics and bands, each weighing the same."""
        return float(np.mean(list(self.coverage.values()))) if self.coverage else float("nan")


def evaluate(series: Sequence[Tournament]) -> HeldOut:
    """Winners and interval ends come from the selection origins alone; the numbers from the two after them."""
    fought = [s for s in series if s.status == "ok"]
    held, selection = slice(-HELD_OUT, None), slice(None, -HELD_OUT)
    errors = {s.name: float(s.errors(s.winner, held).mean()) for s in fought}
    base = {s.name: float(s.errors(BASELINE, held).mean()) for s in fought}
    ratios = {name: errors[name] / base[name] for name in errors if base[name] > 0}
    pools = residuals(fought, held)
    inside = coverage(pools, quantiles(residuals(fought, selection)))
    return HeldOut(ratios, errors, inside, len(series), sum(len(v) for v in pools.values()))


def conditions(series: Sequence[Tournament], numbers: HeldOut, champion: Forecaster | None) -> tuple[Condition, ...]:
    """The gate: no worse than seasonal-naive in the median (it is served where nothing beats it), no worse than the
    champion on the same origins, intervals that cover what they claim, few series clearly worse."""
    ratio = f"median error ratio to {BASELINE} {numbers.median_ratio:.3f}, limit 1"
    off = abs(numbers.covered - LEVEL) if numbers.coverage else 0.0
    worse = round(numbers.worse_share * len(numbers.ratios))
    # Two of ten series may be worse by chance when one in ten is: refused is what chance does not explain.
    chance = float(binom.sf(worse - 1, len(numbers.ratios), WORSE_SHARE))
    counted = f"{worse} of {len(numbers.ratios)} series worse than {WORSE} times {BASELINE}"
    few = f"{counted}, p {chance:.2f} if {WORSE_SHARE:.0%} are"
    return (
        Condition("better_than_baseline", numbers.median_ratio <= 1.0, ratio),
        no_worse_than_champion(_against(series, champion), CHAMPION_MARGIN),
        calibrated(off, COVERAGE_MARGIN),
        Condition("few_series_worse", chance >= 0.05, few),
    )


def _against(series: Sequence[Tournament], champion: Forecaster | None) -> Interval | None:
    """(champion's error - challenger's) per series and held-out origin; positive when the challenger is better."""
    if champion is None or not champion.winners:
        return None
    held = slice(-HELD_OUT, None)
    of_challenger: list[float] = []
    of_champion: list[float] = []
    for one in series:
        methods = champion.winners.get(one.name, [])
        if one.status != "ok" or not methods or any(m not in one.forecasts for m in methods):
            continue
        one.forecasts["champion"] = np.median([one.forecasts[m] for m in methods], axis=0)
        of_champion += list(one.errors("champion", held))
        of_challenger += list(one.errors(one.winner, held))
        del one.forecasts["champion"]
    if not of_challenger:
        return None

    def closeness(_: Floats, missed: Floats) -> float:
        return -float(missed.mean())

    zeros = np.zeros(len(of_challenger))
    errors = np.array(of_challenger), np.array(of_champion)
    return paired_bootstrap(closeness, zeros, *errors, name="forecast/champion")
