"""The models of churn and their baselines: from labelled snapshots to something with probabilities.

All preparation is inside the pipelines, so that scoring cannot prepare otherwise than training.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ml.questions.churn.bgnbd import fit_bgnbd
from ml.questions.churn.features import Spec
from ml.seeds import seed

LABEL = "churned"
DEFAULT, CHALLENGER = "logistic", "gradient_boosting"
# skops loads no type that is not listed. One names a kind of number, two hold the calibration's two numbers. The last
# holds the nodes of trees, which scikit-learn follows without looking: `check_trees` does, before a loaded model is
# asked anything.
TRUSTED = [
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]


def logistic(spec: Spec) -> Pipeline:
    """Logistic regression on log counts: the default, whose reasons are additive."""
    skewed = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        FunctionTransformer(np.log1p, feature_names_out="one-to-one"),
        StandardScaler(),
    )
    plain = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    prepare = ColumnTransformer([("skewed", skewed, spec.skewed), ("plain", plain, spec.plain)])
    return make_pipeline(prepare, LogisticRegression(C=0.3, max_iter=500))


def gradient_boosting(spec: Spec) -> Pipeline:
    """Small boosted trees: the challenger. Takes holes as they are; no early stopping, which would split at random."""
    prepare = ColumnTransformer([("as_is", "passthrough", spec.columns)])
    trees = HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=12,
        min_samples_leaf=40,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed("churn", CHALLENGER),
    )
    # A feature nobody has (no donations here) is left out: scikit-learn cannot sort a column of holes into bins.
    return make_pipeline(prepare, VarianceThreshold(), trees)


MODELS: dict[str, Callable[[Spec], Pipeline]] = {DEFAULT: logistic, CHALLENGER: gradient_boosting}


def fit(kind: str, spec: Spec, train: pd.DataFrame, calibration: pd.DataFrame) -> CalibratedClassifierCV:
    """Train on the early snapshots, then fit the two numbers of a sigmoid on the later one (Platt's calibration)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice|Degrees of freedom", RuntimeWarning)  # the feature is left out
        model = MODELS[kind](spec).fit(train[spec.columns], train[LABEL])
    # One fold: the model is frozen, what is fitted here is the sigmoid alone.
    frozen = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid", ensemble=False)
    return frozen.fit(calibration[spec.columns], calibration[LABEL])


class BrokenModel(ValueError):
    """A model file does not hold what this module writes."""


def check_trees(model: CalibratedClassifierCV, spec: Spec) -> None:
    """Raise BrokenModel when a tree of a loaded model points outside itself or the features.

    A changed file could otherwise make scikit-learn read memory that is not its own.
    """
    final = model.calibrated_classifiers_[0].estimator.estimator[-1]
    if not isinstance(final, HistGradientBoostingClassifier):
        return
    for (tree,) in final._predictors:
        nodes = tree.nodes
        inner = nodes[nodes["is_leaf"] == 0]
        children = np.r_[inner["left"], inner["right"]].astype(np.int64)
        # Children lie behind their parent, as they are written: a walk down a tree ends.
        parents = np.tile(np.flatnonzero(nodes["is_leaf"] == 0), 2)
        fits = children.size == 0 or (children.max() < len(nodes) and bool((children > parents).all()))
        features = inner["feature_idx"].astype(np.int64)
        if not fits or (features.size and not 0 <= features.min() <= features.max() < len(spec.columns)):
            raise BrokenModel("a tree of the model points outside itself: train the model again")
        if inner["is_categorical"].any():
            raise BrokenModel("the model holds categories, which it was not trained on: train it again")


def probability(model: CalibratedClassifierCV, spec: Spec, rows: pd.DataFrame) -> np.ndarray:
    """The probability of churn of each row."""
    return np.asarray(model.predict_proba(rows[spec.columns])[:, 1])


@dataclass(frozen=True)
class Horizon:
    """The label's clock in days: nobody looks at the gap, then comes the window."""

    gap_days: int
    label_days: int


Baseline = Callable[[Spec, Horizon, pd.DataFrame, pd.DataFrame], np.ndarray]


def base_rate(spec: Spec, horizon: Horizon, train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Everybody gets the share that churned."""
    return np.full(len(rows), train[LABEL].mean())


def recency_only(spec: Spec, horizon: Horizon, train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """A logistic curve over the days since a person was last seen."""
    curve = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression())
    fitted = curve.fit(train[[spec.last_days]], train[LABEL])
    return np.asarray(fitted.predict_proba(rows[[spec.last_days]])[:, 1])


def rule_30_days(spec: Spec, horizon: Horizon, train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Unseen for over 30 days: gone. The two answers carry the shares they had in training."""
    by_answer = train[LABEL].groupby(train[spec.last_days] > 30).mean()
    overall = train[LABEL].mean()
    return np.asarray(np.where(rows[spec.last_days] > 30, by_answer.get(True, overall), by_answer.get(False, overall)))


def bg_nbd(spec: Spec, horizon: Horizon, train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """exp(-expected visits) of BG/NBD fitted on the latest training snapshot, where everybody stands once."""
    latest = train[train["cutoff"] == train["cutoff"].max()]

    def clock(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        age = frame[spec.first_days].to_numpy(float)
        repeats = np.maximum(frame[spec.visits].to_numpy(float) - 1, 0)
        return repeats, age - frame[spec.last_days].to_numpy(float), age

    return fit_bgnbd(*clock(latest)).absence(horizon.gap_days, horizon.label_days, *clock(rows))


BASELINES: dict[str, Baseline] = {
    "base_rate": base_rate,
    "recency_only": recency_only,
    "rule_30_days": rule_30_days,
    "bg_nbd": bg_nbd,
}
