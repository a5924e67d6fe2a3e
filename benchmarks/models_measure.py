"""What the model benchmarks share: where the data are, and how a churn benchmark is fitted and printed."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml.questions.churn import evaluate as judge
from ml.questions.churn.features import Spec
from ml.questions.churn.fit import BASELINES, MODELS, Horizon, fit, probability

SHARED = Path(__file__).parents[2] / "shared" / "data"


def shared_data() -> Path:
    """The folder of real data, FULLHOUSE_REAL_DATA first; the benchmark ends with a sentence where it is absent."""
    named = [Path(said)] if (said := os.environ.get("FULLHOUSE_REAL_DATA")) else []
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
        found = [judge.evaluate(n, self.spec, self.test, p) for n, p in scores.items()]
        for kind, model in models.items():
            cut = judge.threshold(self.calibration, probability(model, self.spec, self.calibration))
            said = probability(model, self.spec, self.test)
            found.append(judge.evaluate(kind, self.spec, self.test, said, threshold=cut))
        print(
            f"{self.name}: train {len(self.train):,}, calibrate {len(self.calibration):,}, test {len(self.test):,}, "
            f"base rate {found[0].base:.3f}"
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
        table = pd.DataFrame([{"model": e.name, **e.metrics} for e in found]).set_index("model")
        print(table.reindex(columns=columns).round(3).to_string(na_rep="-"))
        for e in found[-len(models) :]:
            low, high = e.intervals["auc"].low, e.intervals["auc"].high
            print(f"{e.name}: AUC {e.intervals['auc'].value:.3f} [{low:.3f}, {high:.3f}]")
        gate = judge.gate(self.spec, self.test, probability(models["logistic"], self.spec, self.test), scores, None)
        print(f"gate of the default: {'passed' if gate.passed else 'failed'}: {gate.message}")
