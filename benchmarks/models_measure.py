"""What the model benchmarks share: where the data are, and how a churn benchmark is fitted and printed."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml.questions.churn.evaluate import evaluate, gate, threshold
from ml.questions.churn.features import Spec
from ml.questions.churn.fit import BASELINES, MODELS, Horizon, fit, probability

SHARED = Path(__file__).parents[2] / "shared" / "data"


def shared_data() -> Path:
    """The folder of real data, FULLHOUSE_REAL_DATA first; the benchmark ends with a sentence where it is absent."""
    named = [Path(name)] if (name := os.environ.get("FULLHOUSE_REAL_DATA")) else []
    for folder in (*named, SHARED, *(p / "shared" / "data" for p in Path(__file__).parents)):
        if folder.exists():
            return folder
    sys.exit(f"{SHARED} is not there: this benchmark reads real data that is not part of the project")


@dataclass
class Churn:
    """One churn benchmark: labelled snapshots in, a table of models and baselines out."""

    name: str
    spec: Spec
    horizon: Horizon
    train: pd.DataFrame
    calibration: pd.DataFrame
    test: pd.DataFrame

    def report(self) -> None:
        """Fit, evaluate, print."""
        models = {kind: fit(kind, self.spec, self.train, self.calibration) for kind in MODELS}
        scores = {n: f(self.spec, self.horizon, self.train, self.test) for n, f in BASELINES.items()}
        numbers = [evaluate(n, self.spec, self.test, p) for n, p in scores.items()]
        for kind, model in models.items():
            cut = threshold(self.calibration, probability(model, self.spec, self.calibration))
            predicted = probability(model, self.spec, self.test)
            numbers.append(evaluate(kind, self.spec, self.test, predicted, threshold=cut))
        print(
            f"{self.name}: train {len(self.train):,}, calibrate {len(self.calibration):,}, test {len(self.test):,}, "
            f"base rate {numbers[0].base:.3f}"
        )
        columns = [
            "auc",
            "average_precision",
            "precision_at_10",
            "lift_at_10",
            "brier",
            "calibration_error",
            "precision_at_threshold",
            "recall_at_threshold",
        ]
        table = pd.DataFrame([{"model": e.name, **e.metrics} for e in numbers]).set_index("model")
        print(table.reindex(columns=columns).round(3).to_string(na_rep="-"))
        for e in numbers[-len(models) :]:
            low, high = e.intervals["auc"].low, e.intervals["auc"].high
            print(f"{e.name}: AUC {e.intervals['auc'].value:.3f} [{low:.3f}, {high:.3f}]")
        verdict = gate(self.spec, self.test, probability(models["logistic"], self.spec, self.test), scores, None)
        print(f"gate of the default: {'passed' if verdict.passed else 'failed'}: {verdict.message}")
