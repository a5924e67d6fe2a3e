"""Churn scores as of a day, with interval, reasons in words and status; and how past scores turned out.

The version is the newest whose data end before that day: a backfilled score never sees its future.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from data_lake.layout import Layout
from ml import cards, predictions
from ml.drift import index_of, level, shares
from ml.published import Published
from ml.questions.churn import dataset as data
from ml.questions.churn.dataset import SPEC, window_of
from ml.questions.churn.evaluate import evaluate
from ml.questions.churn.fit import LABEL, TRUSTED, check_trees, probability
from ml.questions.churn.train import FAMILY
from ml.threads import one_thread
from ml.tracking import Registry, Trained

TABLE = "viewer_churn"
REASONS = 3
# Rows that one thread scores at a time: few enough for their copies, eight of the features, to stay small.
PART_ROWS = 100_000
# A reason that moves the odds by less than a tenth is none.
SMALLEST_REASON = 0.1

# One sentence per reason, from the row's own numbers.
WORDS = {
    "recency": "'last seen ' || round(recency_days)::int || ' days ago'",
    "missed": "'missed the last ' || streams_missed::int || ' streams'",
    "attendance": "'came to ' || attended_stream_count_28d::int || ' streams in 28 days, ' "
    "|| coalesce(round(100 * attendance_ratio_28d)::int || ' % of them', 'none was on air')",
    "trend": "'comes less often than before'",
    "cadence": "'usually comes every ' || coalesce(round(mean_gap_days, 1)::varchar, '?') || ' days'",
    "chat": "'writes ' || coalesce(round(messages_per_stream_28d, 1)::varchar, '0') || ' messages a stream, ' "
    "|| coalesce(round(messages_per_stream, 1)::varchar, '0') || ' over all time'",
    "tenure": "'known for ' || round(tenure_days)::int || ' days and ' || attended_stream_count::int || ' streams'",
    "ties": "'few ties: ' || subscribed_month_count::int || ' months subscribed, ' || event_count_90d::int "
    "|| ' events in 90 days'",
}


@one_thread
def score(layout: Layout, as_of: date) -> dict[str, int]:
    """Write predictions/viewer_churn as of a day; returns the rows by status. No features of that day, no rows."""
    with Published(layout) as published:
        rows = data.candidates(published, as_of)
    registry = Registry(layout)
    chosen = registry.version_for(FAMILY, as_of)
    if chosen is None:
        said = _without_model(rows)
    else:
        model, metadata = registry.load(chosen, TRUSTED)
        data.require(metadata["features"])
        check_trees(model, SPEC)
        said = scores(model, metadata, rows)
        predictions.write(layout, "model_drift", as_of, FAMILY, drift(chosen, metadata, rows))
    stamped = said.assign(
        model_name=FAMILY,
        model_version=chosen.version if chosen else None,
        run_id=chosen.run_id if chosen else None,
    )
    predictions.write(layout, TABLE, as_of, FAMILY, stamped)
    return {str(k): int(v) for k, v in stamped["status"].value_counts().items()}


def _without_model(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows[["creator_id", "platform", "viewer_id"]].assign(status="no_model", evidence_date=_day(rows))
    return found.assign(
        churn_probability=np.nan, probability_low=np.nan, probability_high=np.nan, is_at_risk=None, reasons=None
    )


def scores(model: Any, metadata: dict[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Probability, interval and reasons of eligible viewers; the others are insufficient_data.

    No row's score depends on another row: parts of the rows are scored side by side.
    """
    parts = [rows.iloc[start : start + PART_ROWS] for start in range(0, len(rows), PART_ROWS)] or [rows]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return pd.concat(pool.map(partial(_scores, model, metadata), parts))


@one_thread
def _scores(model: Any, metadata: dict[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    eligible = rows["is_churn_eligible"].to_numpy(bool)
    values = np.full(len(rows), np.nan)
    known = rows[eligible]
    if len(known):
        values[eligible] = probability(model, SPEC, known)
    curve = metadata["interval"]
    low, high = (np.interp(values, curve["grid"], curve[side]) for side in ("low", "high"))
    cut = metadata["threshold"] if metadata["threshold"] is not None else 0.5
    reasons = np.full(len(rows), None, dtype=object)
    # Only who is likelier to go than the average has reasons to go.
    told = np.flatnonzero(eligible & (values > metadata["base_rate"]))
    if len(told):
        reasons[told] = reasons_of(model, metadata, rows.iloc[told], values[told])
    return rows[["creator_id", "platform", "viewer_id"]].assign(
        status=np.where(eligible, "ok", "insufficient_data"),
        evidence_date=_day(rows),
        churn_probability=values,
        probability_low=np.minimum(low, values),
        probability_high=np.maximum(high, values),
        is_at_risk=pd.Series(values >= cut, index=rows.index, dtype="boolean").where(eligible),
        reasons=reasons,
    )


def reasons_of(model: Any, metadata: dict[str, Any], rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Up to three sentences a row, joined by '; ': what raises its odds most against an average viewer.

    A reason weighs log odds minus the log odds with that reason's features set to the training median: the same
    rule for every kind of model.
    """
    odds = _logit(values)
    groups = SPEC.reasons
    pulls = np.empty((len(rows), len(groups)), dtype=np.float32)
    features = rows[SPEC.columns]
    for place, columns in enumerate(groups.values()):
        without = features.assign(**{c: metadata["reference"][c] for c in columns})
        pulls[:, place] = odds - _logit(probability(model, SPEC, without))
    order = np.argsort(-pulls, axis=1)[:, :REASONS]
    heights = np.take_along_axis(pulls, order, axis=1)
    names = list(groups)
    codes = [
        pd.Categorical.from_codes(np.where(heights[:, n] > SMALLEST_REASON, order[:, n], -1), categories=names)
        for n in range(REASONS)
    ]
    said = {f"reason_{n}": pd.Series(c).astype("string") for n, c in enumerate(codes)}
    told = features.reset_index(drop=True).assign(place=np.arange(len(rows)), **said)
    cases = " ".join(f"when '{name}' then {words}" for name, words in WORDS.items())
    texts = ", ".join(f"case reason_{n} {cases} end" for n in range(REASONS))
    with duckdb.connect() as connection:
        connection.register("told", told)
        query = f"select nullif(concat_ws('; ', {texts}), '') as text from told order by place"
        return np.asarray(connection.execute(query).df()["text"].to_numpy(object))


def _logit(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _day(rows: pd.DataFrame) -> pd.Series:
    return (
        pd.to_datetime(rows["last_activity_at"]).dt.date
        if "last_activity_at" in rows
        else pd.Series([None] * len(rows))
    )


def drift(trained: Trained, metadata: dict[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Population stability of each feature against training, over the eligible viewers of a day."""
    served = rows[rows["is_churn_eligible"]]
    found = []
    for column in SPEC.columns:
        now = shares(served[column].to_numpy(float), np.asarray(metadata["drift_edges"][column]))
        index = index_of(np.asarray(metadata["drift_shares"][column]), now) if len(served) else 0.0
        found.append({"feature": column, "stability_index": index, "drift_level": level(index)})
    return pd.DataFrame(found).assign(
        model_name=trained.name, model_version=trained.version, run_id=trained.run_id, row_count=len(served)
    )


def outcomes(layout: Layout) -> int:
    """Judge past scores whose window has passed by what happened; returns the days judged."""
    judged = 0
    with Published(layout) as published:
        whole = data.HORIZON.gap_days + data.HORIZON.label_days
        due = predictions.to_judge(layout, TABLE, FAMILY, last_day=published.last_day, due_days=whole, whole_days=whole)
        for as_of in due:
            said = predictions.read(layout, TABLE, as_of, FAMILY)
            said = said[said["status"] == "ok"]
            if said.empty:
                continue
            truth = data.labelled(published, [window_of(as_of)])
            both = truth.merge(said, on=["creator_id", "platform", "viewer_id"], suffixes=("", "_said"))
            judged += _judge(layout, as_of, both)
    return judged


def _judge(layout: Layout, as_of: date, both: pd.DataFrame) -> int:
    if both.empty or both[LABEL].nunique() < 2:
        return 0
    window = window_of(as_of)
    found = evaluate("live", SPEC, both, both["churn_probability"].to_numpy(float))
    recency = evaluate("recency_only", SPEC, both, both["recency_days"].to_numpy(float)).metrics["auc"]
    trained = cards.version_of(FAMILY, as_of, both)
    rows = []
    for metric, value in found.metrics.items():
        interval = found.intervals.get(metric)
        rows.append(
            cards.score_row(
                trained,
                "live",
                metric,
                value,
                rows=found.rows,
                base_rate=found.base,
                window=(window.label_from, window.label_to - timedelta(1)),
                low=interval.low if interval else None,
                high=interval.high if interval else None,
                baseline=("recency_only", recency) if metric == "auc" else None,
            )
        )
    predictions.write_live(layout, as_of, FAMILY, pd.DataFrame(rows))
    return 1
