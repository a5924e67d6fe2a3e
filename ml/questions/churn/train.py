"""Train a churn model as of a day: fit, evaluate, log, gate, promote, in this order and only so.

Which day is trained when is Dagster's business.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from data_lake.layout import Layout
from ml import cards, plots
from ml.drift import edges_of, shares
from ml.gates import Gate
from ml.metrics import auc, paired_bootstrap
from ml.outcome import Outcome
from ml.published import Published, data_end_of
from ml.questions.churn import dataset as data
from ml.questions.churn.dataset import HORIZON, SPEC, NotEnough
from ml.questions.churn.evaluate import Evaluation, evaluate, gate, threshold
from ml.questions.churn.fit import BASELINES, CHALLENGER, DEFAULT, LABEL, MODELS, TRUSTED, check_trees, fit, probability
from ml.seeds import ROOT_SEED, dice
from ml.splits import TimeSplit, folds
from ml.threads import one_thread
from ml.tracking import Registry, Trained, log_figures

FAMILY = "churn"
FOLDS = 3
RESAMPLES = 200
LIMITS = (
    "Says who will show no activity in chat or events for four weeks; a viewer who only watches leaves none.",
    "Viewers under three streams in 56 days, and channels that hardly stream, get no score.",
    "Reasons say what the model looks at, not what would keep a person.",
)


@one_thread
def train(layout: Layout, as_of: date) -> Outcome:
    """Train with what was known at the end of `as_of`; registers a version, and promotes it when the gate lets it."""
    try:
        with Published(layout) as published:
            split = data.split(published, data_end_of(as_of))
            training, calibration, test = data.parts(published, split)
            by_fold = [_fold(published, *fold) for fold in folds(split, FOLDS)]
    except NotEnough as error:
        return Outcome("insufficient_data", str(error))
    registry = Registry(layout)
    models = {kind: fit(kind, SPEC, training, calibration) for kind in MODELS}
    kind = choose(models, calibration)
    champion = registry.champion(FAMILY)
    held = _champion_says(registry, champion, test)
    baselines = {name: f(SPEC, HORIZON, training, test) for name, f in BASELINES.items()}
    cut = threshold(calibration, probability(models[kind], SPEC, calibration))
    said = probability(models[kind], SPEC, test)
    verdict = gate(SPEC, test, said, baselines, held)
    found = [evaluate(kind, SPEC, test, said, threshold=cut)]
    found += [evaluate(n, SPEC, test, p) for n, p in baselines.items()]
    found += [evaluate(k, SPEC, test, probability(m, SPEC, test)) for k, m in models.items() if k != kind]
    tags = {"as_of": as_of.isoformat(), "model_kind": kind, "features": SPEC.hash, "split": split.hash}
    with registry.run(FAMILY, f"{kind} as of {as_of}", tags, _parameters(kind, models[kind], split, as_of)):
        for name, rows in (("train", training), ("calibrate", calibration), ("test", test)):
            registry.log_data(rows, f"feat_viewers {name}", name)
        for step, value in enumerate(by_fold):
            mlflow.log_metric("fold_auc", value, step=step)
        _log_numbers(found, len(test))
        truth = test[LABEL].to_numpy(float)
        log_figures(
            {
                "calibration": lambda: plots.calibration(
                    truth, {kind: said, "recency_only": baselines["recency_only"]}
                ),
                "lift": lambda: plots.lift(truth, {kind: said, **baselines}),
                "weights": lambda: plots.bars(
                    weights(models[DEFAULT]), "What the logistic model looks at", "weight of one standard deviation"
                ),
            }
        )
        trained = registry.register(
            FAMILY,
            models[kind],
            training[SPEC.columns].head(5),
            as_of=as_of,
            data_end=split.test.label_to,
            trusted=TRUSTED,
            metadata=_metadata(models[kind], training, calibration, cut),
            tags=tags,
            predict="predict_proba",
        )
        trained = registry.conclude(trained, passed=verdict.passed, message=verdict.message)
        text = _card(as_of, kind, split, training, test, found, verdict)
        cards.log(text, verdict)
        mlflow.log_dict({"conditions": [vars(c) for c in verdict.conditions]}, "gate.json")
    promoted = registry.promote(trained)
    _write(layout, as_of, trained, kind, split, training, found, verdict)
    return Outcome("ok", verdict.message, trained, verdict, promoted)


def choose(models: dict[str, CalibratedClassifierCV], calibration: pd.DataFrame) -> str:
    """The default, unless the challenger ranks the calibration slice better by a whole interval."""
    truth = calibration[LABEL].to_numpy(float)
    said = {kind: probability(model, SPEC, calibration) for kind, model in models.items()}
    difference = paired_bootstrap(auc, truth, said[CHALLENGER], said[DEFAULT], name="churn/choose")
    return CHALLENGER if difference.low > 0 else DEFAULT


def _fold(published: Published, windows: Any, test: Any) -> float:
    """AUC of the default model on an earlier snapshot, learned from those before it."""
    early, late = data.labelled(published, windows), data.labelled(published, [test])
    if early[LABEL].nunique() < 2 or late[LABEL].nunique() < 2:
        raise NotEnough(f"the snapshot of {test.cutoff} holds one class only")
    model = MODELS[DEFAULT](SPEC).fit(early[SPEC.columns], early[LABEL])
    return auc(late[LABEL].to_numpy(float), model.predict_proba(late[SPEC.columns])[:, 1])


def _champion_says(registry: Registry, champion: Trained | None, test: pd.DataFrame) -> np.ndarray | None:
    """The champion on the challenger's test; None without one, or where it was trained on other features."""
    if champion is None or champion.tags.get("features") != SPEC.hash:
        return None
    model, _ = registry.load(champion, TRUSTED)
    check_trees(model, SPEC)
    return probability(model, SPEC, test)


def weights(model: CalibratedClassifierCV) -> dict[str, float]:
    """The coefficients of the logistic model per standard deviation of its features."""
    pipeline = model.calibrated_classifiers_[0].estimator.estimator
    names = [n.partition("__")[2] for n in pipeline[0].get_feature_names_out()]
    return dict(zip(names, map(float, pipeline[-1].coef_[0]), strict=True))


def uncertainty(model: CalibratedClassifierCV, calibration: pd.DataFrame) -> dict[str, list[float]]:
    """The 90 % interval of the calibrated probability over a grid of it, from resampled calibration slices."""
    said = np.clip(probability(model, SPEC, calibration), 1e-4, 1 - 1e-4)
    logit = np.log(said / (1 - said))[:, None]
    truth = calibration[LABEL].to_numpy()
    grid = np.linspace(0.005, 0.995, 67)
    points = np.log(grid / (1 - grid))[:, None]
    rolls = dice("churn", "uncertainty")
    curves = []
    for chosen in rolls.integers(0, len(truth), (RESAMPLES, len(truth))):
        sigmoid = LogisticRegression(C=1e6).fit(logit[chosen], truth[chosen])
        curves.append(sigmoid.predict_proba(points)[:, 1])
    low, high = np.percentile(curves, [5, 95], axis=0)
    return {"grid": grid.tolist(), "low": low.tolist(), "high": high.tolist()}


def _metadata(
    model: CalibratedClassifierCV, training: pd.DataFrame, calibration: pd.DataFrame, cut: float | None
) -> dict[str, Any]:
    columns = {c: training[c].to_numpy(float) for c in SPEC.columns}
    edges = {c: edges_of(values) for c, values in columns.items()}
    return {
        "features": SPEC.hash,
        "threshold": cut,
        "base_rate": float(training[LABEL].mean()),
        # What a person like the others looks like: reasons are told against it.
        "reference": {c: float(np.nanmedian(values)) for c, values in columns.items()},
        "interval": uncertainty(model, calibration),
        "drift_edges": {c: e.tolist() for c, e in edges.items()},
        "drift_shares": {c: shares(columns[c], edges[c]).tolist() for c in columns},
    }


def _parameters(kind: str, model: CalibratedClassifierCV, split: TimeSplit, as_of: date) -> dict[str, Any]:
    final = model.calibrated_classifiers_[0].estimator.estimator[-1]
    learned = {f"model.{k}": v for k, v in final.get_params().items() if v is not None}
    return {
        "kind": kind,
        "as_of": as_of,
        "seed": ROOT_SEED,
        "gap_days": HORIZON.gap_days,
        "label_days": HORIZON.label_days,
        "train_snapshots": len(split.train),
        "train_from": split.train[0].cutoff,
        "calibrate_cutoff": split.calibrate.cutoff,
        "test_cutoff": split.test.cutoff,
        **learned,
    }


def _log_numbers(found: list[Evaluation], rows: int) -> None:
    main = found[0]
    mlflow.log_metrics({k: v for k, v in main.metrics.items() if np.isfinite(v)})
    mlflow.log_metrics({"test_rows": float(rows), "base_rate": main.base})
    for other in found[1:]:
        mlflow.log_metrics(
            {f"baseline_{other.name}_{k}": other.metrics[k] for k in ("auc", "average_precision", "brier")}
        )
    mlflow.log_table(_table(found), "evaluation.json")
    if main.slices:
        mlflow.log_table(pd.DataFrame([{"slice": n, **v} for n, v in main.slices.items()]), "slices.json")


def _table(found: list[Evaluation]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model": e.name,
                **{
                    m: e.metrics[m]
                    for m in ("auc", "average_precision", "brier", "calibration_error", "precision_at_10", "lift_at_10")
                },
            }
            for e in found
        ]
    )


def _card(
    as_of: date,
    kind: str,
    split: TimeSplit,
    training: pd.DataFrame,
    test: pd.DataFrame,
    found: list[Evaluation],
    verdict: Gate,
) -> str:
    facts = {
        "as of": as_of,
        "snapshots": f"{len(split.train)} from {split.train[0].cutoff} to {split.train[-1].cutoff}",
        "rows": f"{len(training):,} for training, {len(test):,} for testing on {split.test.cutoff}",
        "base rate of the test": f"{found[0].base:.3f}",
        "features": f"{len(SPEC.columns)}, specification {SPEC.hash}",
    }
    purpose = "The probability that a viewer shows no activity in the 28 days after the coming week."
    return cards.card(f"churn: {kind}", purpose, facts, _table(found), verdict, LIMITS)


def _write(
    layout: Layout,
    as_of: date,
    trained: Trained,
    kind: str,
    split: TimeSplit,
    training: pd.DataFrame,
    found: list[Evaluation],
    verdict: Gate,
) -> None:
    main, baselines = found[0], [e for e in found if e.name in BASELINES]
    best = max(baselines, key=lambda e: e.metrics["auc"])
    window = (split.test.label_from, split.test.label_to - timedelta(1))
    rows = []
    for metric, value in main.metrics.items():
        interval = main.intervals.get(metric)
        said = (best.name, best.metrics[metric]) if metric in best.metrics else None
        low, high = (interval.low, interval.high) if interval else (None, None)
        rows.append(
            cards.score_row(
                trained,
                "backtest",
                metric,
                value,
                rows=main.rows,
                window=window,
                low=low,
                high=high,
                baseline=said,
                base_rate=main.base,
            )
        )
    for name, numbers in main.slices.items():
        rows += [
            cards.score_row(
                trained,
                "backtest",
                m,
                numbers[m],
                rows=int(numbers["rows"]),
                window=window,
                slice_name=name,
                base_rate=numbers["base_rate"],
            )
            for m in ("auc", "calibration_error")
        ]
    cards.write_backtest(
        layout,
        as_of,
        trained,
        rows,
        kind=kind,
        rows=len(training),
        data_from=split.train[0].cutoff,
        baseline=best.name,
        gate=verdict,
    )
