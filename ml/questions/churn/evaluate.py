"""How good a churn model is, against its baselines, by slice; and what the gate says.

Every number is of one test snapshot, later than everything that was learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ml.gates import Gate, better_than_baseline, calibrated, no_slice_falls, no_worse_than_champion
from ml.metrics import (
    Interval,
    auc,
    average_precision,
    bootstrap,
    brier,
    calibration_error,
    paired_bootstrap,
    threshold_for,
    top,
)
from ml.questions.churn.features import Spec
from ml.questions.churn.fit import LABEL

# A slice with fewer rows, or fewer of either class, says nothing.
SLICE_ROWS, SLICE_CLASS_ROWS = 60, 15
WANTED_PRECISION, WANTED_RECALL = 0.70, 0.15
TOP_SHARES = (0.05, 0.10, 0.20)
TENURES = ((0, 60, "under 60 days"), (60, 180, "60 to 179 days"), (180, np.inf, "180 days and more"))


@dataclass
class ModelNumbers:
    """The numbers of one model on one test snapshot."""

    name: str
    rows: int
    base: float
    metrics: dict[str, float]
    intervals: dict[str, Interval] = field(default_factory=dict)
    slices: dict[str, dict[str, float]] = field(default_factory=dict)


def slices(spec: Spec, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rows by tenure, by platform, and those of people no training snapshot held."""
    tenure = rows[spec.first_days].to_numpy(float)
    masks = {f"tenure {name}": (tenure >= low) & (tenure < high) for low, high, name in TENURES}
    if "platform" in rows:
        masks |= {f"platform {p}": (rows["platform"] == p).to_numpy() for p in sorted(rows["platform"].unique())}
    if "is_new" in rows:
        masks["not seen in training"] = rows["is_new"].to_numpy(bool)
    truth = rows[LABEL].to_numpy(bool)
    return {
        name: mask
        for name, mask in masks.items()
        if mask.sum() >= SLICE_ROWS and SLICE_CLASS_ROWS <= truth[mask].sum() <= mask.sum() - SLICE_CLASS_ROWS
    }


def evaluate(
    name: str, spec: Spec, rows: pd.DataFrame, probability: np.ndarray, *, threshold: float | None = None
) -> ModelNumbers:
    """AUC, average precision, precision, recall and lift at the top, Brier, calibration error, also by slice.

    `threshold` was chosen on the calibration slice; what it realises here is reported.
    """
    truth = rows[LABEL].to_numpy(float)
    metrics = {
        "auc": auc(truth, probability),
        "average_precision": average_precision(truth, probability),
        "brier": brier(truth, probability),
        "calibration_error": calibration_error(truth, probability),
    }
    for share in TOP_SHARES:
        values = top(truth, probability, share)
        metrics |= {
            f"{m}_at_{share:.0%}".replace("%", ""): v
            for m, v in zip(("precision", "recall", "lift"), values, strict=True)
        }
    if threshold is not None:
        chosen = probability >= threshold
        metrics["threshold"] = threshold
        metrics["precision_at_threshold"] = float(truth[chosen].mean()) if chosen.any() else float("nan")
        metrics["recall_at_threshold"] = float(truth[chosen].sum() / truth.sum()) if truth.any() else float("nan")
    numbers = ModelNumbers(name, len(rows), float(truth.mean()), metrics)
    for metric, function in (("auc", auc), ("average_precision", average_precision), ("brier", brier)):
        numbers.intervals[metric] = bootstrap(function, truth, probability, name=f"churn/{metric}")
    for label, mask in slices(spec, rows).items():
        numbers.slices[label] = {
            "rows": float(mask.sum()),
            "base_rate": float(truth[mask].mean()),
            "auc": auc(truth[mask], probability[mask]),
            "calibration_error": calibration_error(truth[mask], probability[mask]),
        }
    return numbers


def threshold(calibration: pd.DataFrame, probability: np.ndarray) -> float | None:
    """The threshold with the wanted precision and the most recall on the calibration slice; None when there is none."""
    truth = calibration[LABEL].to_numpy(float)
    return threshold_for(truth, probability, precision=WANTED_PRECISION, recall=WANTED_RECALL)


def gate(
    spec: Spec,
    rows: pd.DataFrame,
    challenger: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    champion: np.ndarray | None,
) -> Gate:
    """Better than the best baseline, no worse than the champion, calibrated, and no slice falls: by AUC, paired."""
    truth = rows[LABEL].to_numpy(float)
    best = max(baselines, key=lambda name: auc(truth, baselines[name]))
    against_baseline = paired_bootstrap(auc, truth, challenger, baselines[best], name="churn/baseline")
    against_champion = (
        paired_bootstrap(auc, truth, challenger, champion, name="churn/champion") if champion is not None else None
    )
    other = champion if champion is not None else baselines[best]
    falls = {
        name: auc(truth[mask], challenger[mask]) - auc(truth[mask], other[mask])
        for name, mask in slices(spec, rows).items()
    }
    return Gate(
        (
            better_than_baseline(best, against_baseline),
            no_worse_than_champion(against_champion),
            calibrated(calibration_error(truth, challenger)),
            no_slice_falls(falls),
        )
    )
