"""Churn's part of a training: the split, the two models and the choice between them, and what is reported of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from ml import plots
from ml.cards import Score
from ml.drift import edges_of, shares
from ml.metrics import auc, paired_bootstrap
from ml.published import Published, data_end_of
from ml.questions.churn import dataset
from ml.questions.churn.dataset import HORIZON, SPEC, NotEnough
from ml.questions.churn.evaluate import ModelNumbers, evaluate, gate, threshold
from ml.questions.churn.fit import (
    BASELINES,
    CHALLENGER,
    DEFAULT,
    LABEL,
    MODELS,
    TRUSTED,
    check_trees,
    fit,
    probability,
)
from ml.seeds import generator
from ml.serving import ModelVersion, Served
from ml.splits import LabelWindow, TimeSplit, folds
from ml.training import Evaluation, Trainer

FOLDS = 3
RESAMPLES = 200


@dataclass(frozen=True)
class Snapshots:
    """The rows of a split, and the AUC of the default model on earlier snapshots, each learned from those before it."""

    split: TimeSplit
    training: pd.DataFrame
    calibration: pd.DataFrame
    test: pd.DataFrame
    fold_aucs: Sequence[float]


@dataclass(frozen=True)
class Fitted:
    """Both models, and the kind that is served."""

    models: Mapping[str, CalibratedClassifierCV]
    kind: str

    @property
    def model(self) -> CalibratedClassifierCV:
        return self.models[self.kind]


class ChurnTrainer(Trainer[Snapshots, Fitted]):
    """Learns from weekly snapshots, calibrates on a later one, is judged on the last whose labels are complete."""

    purpose = "The probability that a viewer shows no activity in the 28 days after the coming week."
    limits = (
        "Says who will show no activity in chat or events for four weeks; a viewer who only watches leaves none.",
        "Viewers under three streams in 56 days, and channels that hardly stream, get no score.",
        "Reasons say what the model looks at, not what would keep a person.",
    )
    trusted = TRUSTED

    def split(self, published: Published, as_of: date) -> Snapshots:
        split = dataset.split(published, data_end_of(as_of))
        training, calibration, test = dataset.parts(published, split)
        by_fold = [_fold(published, *fold) for fold in folds(split, FOLDS)]
        return Snapshots(split, training, calibration, test, by_fold)

    def fit(self, data: Snapshots, champion: Served | None) -> Fitted:
        models = {kind: fit(kind, SPEC, data.training, data.calibration) for kind in MODELS}
        return Fitted(models, choose(models, data.calibration))

    def evaluate(self, data: Snapshots, fitted: Fitted, champion: Served | None) -> Evaluation:
        test, training, model, kind = data.test, data.training, fitted.model, fitted.kind
        probabilities = probability(model, SPEC, test)
        of_champion = probability(champion.model, SPEC, test) if champion else None
        baselines = {name: baseline(SPEC, HORIZON, training, test) for name, baseline in BASELINES.items()}
        cut = threshold(data.calibration, probability(model, SPEC, data.calibration))
        own = evaluate(kind, SPEC, test, probabilities, threshold=cut)
        others = [evaluate(name, SPEC, test, p) for name, p in baselines.items()]
        best = max(others, key=lambda numbers: numbers.metrics["auc"])
        others += [evaluate(k, SPEC, test, probability(m, SPEC, test)) for k, m in fitted.models.items() if k != kind]
        truth = test[LABEL].to_numpy(float)
        curves = {kind: probabilities, "recency_only": baselines["recency_only"]}
        return Evaluation(
            kind=kind,
            title=kind,
            model=model,
            example=training[SPEC.columns].head(5),
            predict="predict_proba",
            conditions=gate(SPEC, test, probabilities, baselines, of_champion).conditions,
            scores=_scores(own, best, data.split),
            numbers=_table([own, *others]),
            facts={
                "snapshots": f"{len(data.split.train)} from {data.split.train[0].cutoff} "
                f"to {data.split.train[-1].cutoff}",
                "rows": f"{len(training):,} for training, {len(test):,} for testing on {data.split.test.cutoff}",
                "base rate of the test": f"{own.base:.3f}",
                "features": f"{len(SPEC.columns)}, specification {SPEC.hash}",
            },
            inputs={
                context: (f"feat_viewers {context}", rows)
                for context, rows in (("train", training), ("calibrate", data.calibration), ("test", test))
            },
            rows=len(training),
            data_from=data.split.train[0].cutoff,
            data_end=data.split.test.label_to,
            baseline=best.name,
            metadata=metadata(model, training, data.calibration, cut),
            parameters=_parameters(kind, model, data.split),
            tags={"features": SPEC.hash, "split": data.split.hash},
            metrics=_metrics(own, others),
            folds={"fold_auc": data.fold_aucs},
            tables={"slices": pd.DataFrame([{"slice": n, **v} for n, v in own.slices.items()])} if own.slices else {},
            figures={
                "calibration": lambda: plots.calibration(truth, curves),
                "lift": lambda: plots.lift(truth, {kind: probabilities, **baselines}),
                "weights": lambda: plots.bars(
                    weights(fitted.models[DEFAULT]),
                    "What the logistic model looks at",
                    "weight of one standard deviation",
                ),
            },
        )

    def is_comparable(self, champion: ModelVersion) -> bool:
        return champion.tags.get("features") == SPEC.hash

    def check(self, model: CalibratedClassifierCV) -> None:
        check_trees(model, SPEC)


TRAINER = ChurnTrainer()


def choose(models: Mapping[str, CalibratedClassifierCV], calibration: pd.DataFrame) -> str:
    """The default, unless the challenger ranks the calibration slice better by a whole interval."""
    truth = calibration[LABEL].to_numpy(float)
    probabilities = {kind: probability(model, SPEC, calibration) for kind, model in models.items()}
    difference = paired_bootstrap(auc, truth, probabilities[CHALLENGER], probabilities[DEFAULT], name="churn/choose")
    return CHALLENGER if difference.low > 0 else DEFAULT


def _fold(published: Published, windows: Sequence[LabelWindow], test: LabelWindow) -> float:
    early, late = dataset.labelled(published, windows), dataset.labelled(published, [test])
    if early[LABEL].nunique() < 2 or late[LABEL].nunique() < 2:
        raise NotEnough(f"the snapshot of {test.cutoff} holds one class only")
    model = MODELS[DEFAULT](SPEC).fit(early[SPEC.columns], early[LABEL])
    return auc(late[LABEL].to_numpy(float), model.predict_proba(late[SPEC.columns])[:, 1])


def weights(model: CalibratedClassifierCV) -> dict[str, float]:
    """The coefficients of the logistic model per standard deviation of its features."""
    pipeline = model.calibrated_classifiers_[0].estimator.estimator
    names = [n.partition("__")[2] for n in pipeline[0].get_feature_names_out()]
    return dict(zip(names, map(float, pipeline[-1].coef_[0]), strict=True))


def uncertainty(model: CalibratedClassifierCV, calibration: pd.DataFrame) -> dict[str, list[float]]:
    """The 90 % interval of the calibrated probability over a grid of it, from resampled calibration slices."""
    probabilities = np.clip(probability(model, SPEC, calibration), 1e-4, 1 - 1e-4)
    logit = np.log(probabilities / (1 - probabilities))[:, None]
    truth = calibration[LABEL].to_numpy()
    grid = np.linspace(0.005, 0.995, 67)
    points = np.log(grid / (1 - grid))[:, None]
    rng = generator("churn", "uncertainty")
    curves = []
    for chosen in rng.integers(0, len(truth), (RESAMPLES, len(truth))):
        sigmoid = LogisticRegression(C=1e6).fit(logit[chosen], truth[chosen])
        curves.append(sigmoid.predict_proba(points)[:, 1])
    low, high = np.percentile(curves, [5, 95], axis=0)
    return {"grid": grid.tolist(), "low": low.tolist(), "high": high.tolist()}


def metadata(
    model: CalibratedClassifierCV, training: pd.DataFrame, calibration: pd.DataFrame, cut: float | None
) -> dict[str, Any]:
    """What scoring needs beside the model: threshold, interval, what an average viewer looks like, and for drift."""
    columns = {c: training[c].to_numpy(float) for c in SPEC.columns}
    edges = {c: edges_of(values) for c, values in columns.items()}
    return {
        "features": SPEC.hash,
        "threshold": cut,
        "base_rate": float(training[LABEL].mean()),
        # What a person like the others looks like: reasons are given against it.
        "reference": {c: float(np.nanmedian(values)) for c, values in columns.items()},
        "interval": uncertainty(model, calibration),
        "drift_edges": {c: e.tolist() for c, e in edges.items()},
        "drift_shares": {c: shares(columns[c], edges[c]).tolist() for c in columns},
    }


def _parameters(kind: str, model: CalibratedClassifierCV, split: TimeSplit) -> dict[str, Any]:
    final = model.calibrated_classifiers_[0].estimator.estimator[-1]
    learned = {f"model.{k}": v for k, v in final.get_params().items() if v is not None}
    return {
        "kind": kind,
        "gap_days": HORIZON.gap_days,
        "label_days": HORIZON.label_days,
        "train_snapshots": len(split.train),
        "train_from": split.train[0].cutoff,
        "calibrate_cutoff": split.calibrate.cutoff,
        "test_cutoff": split.test.cutoff,
        **learned,
    }


def _metrics(own: ModelNumbers, others: Sequence[ModelNumbers]) -> dict[str, float]:
    of_others = {
        f"baseline_{other.name}_{metric}": other.metrics[metric]
        for other in others
        for metric in ("auc", "average_precision", "brier")
    }
    return {**own.metrics, "test_rows": float(own.rows), "base_rate": own.base, **of_others}


def _table(by_model: Sequence[ModelNumbers]) -> pd.DataFrame:
    shown = ("auc", "average_precision", "brier", "calibration_error", "precision_at_10", "lift_at_10")
    return pd.DataFrame([{"model": e.name, **{m: e.metrics[m] for m in shown}} for e in by_model])


def _scores(own: ModelNumbers, best: ModelNumbers, split: TimeSplit) -> list[Score]:
    window = (split.test.label_from, split.test.label_to - timedelta(1))
    scores = [
        Score(
            metric,
            value,
            own.rows,
            window,
            interval=own.intervals.get(metric),
            baseline=(best.name, best.metrics[metric]) if metric in best.metrics else None,
            base_rate=own.base,
        )
        for metric, value in own.metrics.items()
    ]
    for name, numbers in own.slices.items():
        scores += [
            Score(m, numbers[m], int(numbers["rows"]), window, slice_name=name, base_rate=numbers["base_rate"])
            for m in ("auc", "calibration_error")
        ]
    return scores
