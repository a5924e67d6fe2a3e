"""Churn's part of a scoring: probability, interval, reasons in words and status; and how past scores turned out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ml.cards import Score
from ml.drift import index_of, level, shares
from ml.metrics import auc
from ml.published import Published
from ml.questions.churn import dataset
from ml.questions.churn.dataset import SPEC, window_of
from ml.questions.churn.evaluate import evaluate
from ml.questions.churn.fit import LABEL, TRUSTED, check_trees, probability
from ml.scoring import Answers, Comparison, Scorer
from ml.serving import Served
from ml.threads import one_thread

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


class ChurnScorer(Scorer):
    """Scores everybody with features of the day; who is not eligible gets a status and no number."""

    trusted = TRUSTED

    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        rows = dataset.candidates(published, as_of)
        if served is None:
            tables = {"viewer_churn": _without_model(rows)}
        else:
            tables = {
                "viewer_churn": scores(served.model, served.metadata, rows),
                "model_drift": drift(served.metadata, rows),
            }
        counts = tables["viewer_churn"]["status"].value_counts()
        return Answers(tables, {str(status): int(count) for status, count in counts.items()})

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        scored = {day: rows[rows["status"] == "ok"] for day, rows in answers.items()}
        scored = {day: rows for day, rows in scored.items() if len(rows)}
        truth = dataset.labelled(published, [window_of(day) for day in scored]) if scored else pd.DataFrame()
        for day, rows in scored.items():
            of_day = truth[truth["as_of_date"].dt.date == day]
            both = of_day.merge(rows, on=["creator_id", "platform", "viewer_id"], suffixes=("", "_answered"))
            if not both.empty and both[LABEL].nunique() == 2:
                yield Comparison(day, both, partial(_live_scores, day, both))

    def check(self, served: Served) -> None:
        dataset.require(served.metadata["features"])
        check_trees(served.model, SPEC)


SCORER = ChurnScorer()


def _live_scores(as_of: date, both: pd.DataFrame) -> list[Score]:
    window = window_of(as_of)
    numbers = evaluate("live", SPEC, both, both["churn_probability"].to_numpy(float))
    recency = auc(both[LABEL].to_numpy(float), both[SPEC.last_days].to_numpy(float))
    return [
        Score(
            metric,
            value,
            numbers.rows,
            (window.label_from, window.label_to - timedelta(1)),
            interval=numbers.intervals.get(metric),
            baseline=("recency_only", recency) if metric == "auc" else None,
            base_rate=numbers.base,
        )
        for metric, value in numbers.metrics.items()
    ]


def _without_model(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["creator_id", "platform", "viewer_id"]].assign(
        status="no_model",
        evidence_date=_day(rows),
        churn_probability=np.nan,
        probability_low=np.nan,
        probability_high=np.nan,
        is_at_risk=None,
        reasons=None,
    )


def scores(model: Any, metadata: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Probability, interval and reasons of eligible viewers; the others are insufficient_data.

    No row's score depends on another row: parts of the rows are scored side by side.
    """
    parts = [rows.iloc[start : start + PART_ROWS] for start in range(0, len(rows), PART_ROWS)] or [rows]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return pd.concat(pool.map(partial(_scores, model, metadata), parts))


@one_thread
def _scores(model: Any, metadata: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    eligible = rows["is_churn_eligible"].to_numpy(bool)
    values = np.full(len(rows), np.nan)
    if eligible.any():
        values[eligible] = probability(model, SPEC, rows[eligible])
    curve = metadata["interval"]
    low, high = (np.interp(values, curve["grid"], curve[side]) for side in ("low", "high"))
    cut = metadata["threshold"] if metadata["threshold"] is not None else 0.5
    reasons = np.full(len(rows), None, dtype=object)
    # Only who is likelier to go than the average has reasons to go.
    likely = np.flatnonzero(eligible & (values > metadata["base_rate"]))
    if len(likely):
        reasons[likely] = reasons_of(model, metadata, rows.iloc[likely], values[likely])
    return rows[["creator_id", "platform", "viewer_id"]].assign(
        status=np.where(eligible, "ok", "insufficient_data"),
        evidence_date=_day(rows),
        churn_probability=values,
        probability_low=np.minimum(low, values),
        probability_high=np.maximum(high, values),
        is_at_risk=pd.Series(values >= cut, index=rows.index, dtype="boolean").where(eligible),
        reasons=reasons,
    )


def reasons_of(model: Any, metadata: Mapping[str, Any], rows: pd.DataFrame, values: np.ndarray) -> np.ndarray:
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
    by_rank = {f"reason_{n}": pd.Series(c).astype("string") for n, c in enumerate(codes)}
    explained = features.reset_index(drop=True).assign(place=np.arange(len(rows)), **by_rank)
    cases = " ".join(f"when '{name}' then {words}" for name, words in WORDS.items())
    texts = ", ".join(f"case reason_{n} {cases} end" for n in range(REASONS))
    with duckdb.connect() as connection:
        connection.register("explained", explained)
        query = f"select nullif(concat_ws('; ', {texts}), '') as text from explained order by place"
        return np.asarray(connection.execute(query).df()["text"].to_numpy(object))


def _logit(p: np.ndarray) -> np.ndarray:
    clipped = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _day(rows: pd.DataFrame) -> pd.Series:
    return pd.to_datetime(rows["last_activity_at"]).dt.date


def drift(metadata: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Population stability of each feature against training, over the eligible viewers of a day."""
    eligible = rows[rows["is_churn_eligible"]]
    by_feature = []
    for column in SPEC.columns:
        now = shares(eligible[column].to_numpy(float), np.asarray(metadata["drift_edges"][column]))
        index = index_of(np.asarray(metadata["drift_shares"][column]), now) if len(eligible) else 0.0
        by_feature.append({"feature": column, "stability_index": index, "drift_level": level(index)})
    return pd.DataFrame(by_feature).assign(row_count=len(eligible))
