"""The model of the next stream and its baselines, all on log ratios to the creator's last twelve streams."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ml.questions.next_stream.dataset import CATEGORICAL, NUMERIC, TARGETS

LEVEL = 0.8
# The encoder keeps the type of its zeros and ones.
TRUSTED = ["numpy.dtype"]
# One-hot effects of a creator with few streams shrink towards none: an effect needs some five streams to count half.
SHRINKAGE = 5.0


def fit(train: pd.DataFrame) -> Pipeline:
    """Ridge regression of average and peak on what is known before the start."""
    numeric = make_pipeline(SimpleImputer(strategy="constant", fill_value=0.0), StandardScaler())
    prepare = ColumnTransformer(
        [("numeric", numeric, NUMERIC), ("kinds", OneHotEncoder(handle_unknown="ignore"), CATEGORICAL)],
        sparse_threshold=0,
    )
    return make_pipeline(prepare, Ridge(alpha=SHRINKAGE)).fit(train[NUMERIC + CATEGORICAL], train[TARGETS])


def predict(model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    """Log ratios of (average, peak) to the level, one row each."""
    return np.asarray(model.predict(rows[NUMERIC + CATEGORICAL]))


def last_12(train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The next stream is like the mean of the last twelve; its peak is higher by what peaks were in training."""
    return np.tile([0.0, train["peak"].median() - train["average"].median()], (len(rows), 1))


def previous(train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The next stream is like the one before."""
    return np.asarray(last_12(train, rows) + rows[["previous_over_last_12"]].fillna(0.0).to_numpy())


def same_weekday(train: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """The next stream is like those of its weekday."""
    return np.asarray(last_12(train, rows) + rows[["weekday_over_last_12"]].fillna(0.0).to_numpy())


BASELINES = {"last_12": last_12, "previous": previous, "same_weekday": same_weekday}
