"""Numbers that judge a probability or a ranking, and their intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from ml.seeds import generator

Floats = np.ndarray
Metric = Callable[[Floats, Floats], float]


def auc(truth: Floats, score: Floats) -> float:
    """Area under the ROC curve, ties counted half (Mann-Whitney); nan when only one class is there."""
    positive = truth.astype(bool)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(truth: Floats, score: Floats) -> float:
    """Mean precision over the recalls, ties taken together; nan without a positive."""
    if not truth.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.r_[np.diff(score[order]) != 0, True]
    hits = np.cumsum(truth[order])[last_of_tie]
    rows = np.flatnonzero(last_of_tie) + 1
    return float(np.sum(np.diff(np.r_[0, hits]) * hits / rows) / hits[-1])


def brier(truth: Floats, probability: Floats) -> float:
    return float(np.mean((probability - truth) ** 2))


def calibration_bins(truth: Floats, probability: Floats, bins: int = 10) -> list[tuple[float, float, int]]:
    """(mean probability, observed share, rows) of `bins` groups of equal size, lowest probability first."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [(float(probability[p].mean()), float(truth[p].mean()), len(p)) for p in parts]


def calibration_error(truth: Floats, probability: Floats) -> float:
    """Expected calibration error over ten groups of equal size."""
    bins = calibration_bins(truth, probability)
    return float(sum(abs(predicted - observed) * rows for predicted, observed, rows in bins) / len(truth))


def top(truth: Floats, score: Floats, share: float) -> tuple[float, float, float]:
    """(precision, recall, lift) of the `share` of rows with the highest score; at least one row."""
    count = max(1, round(share * len(truth)))
    chosen = truth[np.argsort(-score, kind="stable")[:count]]
    precision = float(chosen.mean())
    base = float(truth.mean())
    recall = float(chosen.sum() / truth.sum()) if truth.any() else float("nan")
    return precision, recall, precision / base if base else float("nan")


def threshold_for(truth: Floats, score: Floats, *, precision: float, recall: float) -> float | None:
    """The threshold with the greatest recall among those whose precision is reached; None when none has `recall`."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    rows = np.arange(1, len(order) + 1)
    last_of_tie = np.r_[np.diff(score[order]) != 0, True]
    good = last_of_tie & (hits / rows >= precision) & (hits >= recall * truth.sum())
    return float(score[order][np.flatnonzero(good)[-1]]) if good.any() else None


@dataclass(frozen=True)
class Interval:
    """A number with its interval."""

    value: float
    low: float
    high: float


def bootstrap(metric: Metric, truth: Floats, score: Floats, *, name: str, draws: int = 400) -> Interval:
    """A metric with its 95 % percentile interval over resampled rows."""
    rng = generator("bootstrap", name)
    values = [metric(truth[i], score[i]) for i in rng.integers(0, len(truth), (draws, len(truth)))]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(metric(truth, score), float(low), float(high))


def paired_bootstrap(
    metric: Metric, truth: Floats, challenger: Floats, other: Floats, *, name: str, draws: int = 400
) -> Interval:
    """metric(challenger) - metric(other) on the same resampled rows, with its 95 % percentile interval."""
    rng = generator("paired", name)
    values = [
        metric(truth[i], challenger[i]) - metric(truth[i], other[i])
        for i in rng.integers(0, len(truth), (draws, len(truth)))
    ]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(metric(truth, challenger) - metric(truth, other), float(low), float(high))
