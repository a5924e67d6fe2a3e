"""Churn on a small made-up population: learning, refusal, reasons, statuses, and the same numbers twice."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import skops.io

from ml.digests import digest
from ml.metrics import auc
from ml.questions.churn import dataset, score, train
from ml.questions.churn.bgnbd import fit_bgnbd
from ml.questions.churn.dataset import HORIZON, SPEC
from ml.questions.churn.evaluate import evaluate, gate, threshold
from ml.questions.churn.features import OtherFeatures
from ml.questions.churn.fit import BASELINES, LABEL, MODELS, TRUSTED, BrokenModel, check_trees, fit, probability
from ml.seeds import generator


def people(count: int, name: str, as_of: date = date(2026, 6, 1)) -> pd.DataFrame:
    """Viewers whose odds of leaving grow with days unseen and shrink with attendance."""
    rng = generator("people", name)
    rows = pd.DataFrame({column: rng.gamma(2.0, 3.0, count) for column in SPEC.columns})
    rows["attendance_ratio_28d"] = rng.uniform(size=count)
    rows["active_day_count"] = rng.integers(3, 60, count).astype(float)
    rows["tenure_days"] = rows["recency_days"] + rng.integers(30, 300, count)
    rows.loc[rng.uniform(size=count) < 0.1, "cadence_z_score"] = np.nan
    odds = 1.2 * (np.log1p(rows["recency_days"]) - 1.8) - 2 * (rows["attendance_ratio_28d"] - 0.5) - 0.4
    rows[LABEL] = (rng.uniform(size=count) < 1 / (1 + np.exp(-odds))).astype(int)
    keys = pd.DataFrame({"creator_id": "c", "platform": "twitch", "viewer_id": [f"{name}{n}" for n in range(count)]})
    return keys.assign(
        as_of_date=as_of, cutoff=as_of + timedelta(1), is_churn_eligible=True, last_activity_at=pd.Timestamp(as_of)
    ).join(rows)


@pytest.fixture(scope="module")
def parts() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return people(2_500, "train"), people(1_200, "calibrate"), people(1_200, "test")


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_beats_recency_and_says_what_happens(kind: str, parts: tuple[pd.DataFrame, ...]) -> None:
    training, calibration, test = parts
    predicted = probability(fit(kind, SPEC, training, calibration), SPEC, test)
    baselines = {name: f(SPEC, HORIZON, training, test) for name, f in BASELINES.items()}
    assert gate(SPEC, test, predicted, baselines, None).passed, gate(SPEC, test, predicted, baselines, None).message
    cut = threshold(calibration, predicted[: len(calibration)])
    numbers = evaluate(kind, SPEC, test, predicted, threshold=cut).metrics
    assert numbers["auc"] > 0.6
    assert numbers["calibration_error"] < 0.06


@pytest.mark.parametrize("kind", MODELS)
def test_a_feature_that_nobody_has_in_training_stops_no_model(kind: str, parts: tuple[pd.DataFrame, ...]) -> None:
    training = parts[0].head(600).assign(cadence_z_score=np.nan)
    model = fit(kind, SPEC, training, parts[1])
    check_trees(model, SPEC)
    assert np.isfinite(probability(model, SPEC, parts[2])).all()


def test_labels_that_depend_on_nothing_are_refused(parts: tuple[pd.DataFrame, ...]) -> None:
    shuffled = [p.assign(**{LABEL: generator("noise", n).permutation(p[LABEL])}) for n, p in enumerate(parts)]
    predicted = probability(fit("logistic", SPEC, shuffled[0], shuffled[1]), SPEC, shuffled[2])
    baselines = {name: f(SPEC, HORIZON, shuffled[0], shuffled[2]) for name, f in BASELINES.items()}
    assert not gate(SPEC, shuffled[2], predicted, baselines, None).passed


@pytest.mark.parametrize("kind", MODELS)
def test_the_same_rows_give_the_same_numbers(kind: str, parts: tuple[pd.DataFrame, ...]) -> None:
    training, calibration, test = parts
    one, other = (probability(fit(kind, SPEC, training, calibration), SPEC, test) for _ in range(2))
    assert (one == other).all()
    assert digest(test) == digest(test.copy())
    assert digest(test) != digest(test.iloc[::-1])


def served(parts: tuple[pd.DataFrame, ...]) -> tuple[object, dict[str, object]]:
    training, calibration, _ = parts
    model = fit("logistic", SPEC, training, calibration)
    return model, train.metadata(model, training, calibration, 0.6)


def test_scores_say_how_sure_they_are_and_why(parts: tuple[pd.DataFrame, ...]) -> None:
    model, metadata = served(parts)
    rows = parts[2].assign(is_churn_eligible=np.arange(len(parts[2])) % 2 == 0)
    scores = score.scores(model, metadata, rows)
    ok = scores[scores["status"] == "ok"]
    assert set(scores["status"]) == {"ok", "insufficient_data"}
    assert scores.loc[scores["status"] != "ok", "churn_probability"].isna().all()
    assert (ok["probability_low"] <= ok["churn_probability"]).all()
    assert (ok["churn_probability"] <= ok["probability_high"]).all()
    assert ok.loc[ok["churn_probability"] < metadata["base_rate"], "reasons"].isna().all()
    longest = rows.loc[ok.index, "recency_days"].idxmax()
    assert f"last seen {round(rows.loc[longest, 'recency_days'])} days ago" in scores.loc[longest, "reasons"]


def test_a_person_like_any_other_has_no_reason_to_go(parts: tuple[pd.DataFrame, ...]) -> None:
    model, metadata = served(parts)
    average = parts[2].head(1).assign(**metadata["reference"])
    value = probability(model, SPEC, average)
    assert list(score.reasons_of(model, metadata, average, value)) in ([None], [np.nan]) or pd.isna(
        score.reasons_of(model, metadata, average, value)[0]
    )


def test_features_of_another_specification_are_refused() -> None:
    dataset.require(SPEC.hash)
    with pytest.raises(OtherFeatures, match="train it again"):
        dataset.require("0123456789abcdef")


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_file_holds_only_types_that_are_trusted(kind: str, parts: tuple[pd.DataFrame, ...]) -> None:
    written = skops.io.dumps(fit(kind, SPEC, parts[0].head(600), parts[1]))
    assert set(skops.io.get_untrusted_types(data=written)) <= set(TRUSTED)


def test_a_tree_that_points_outside_itself_is_not_asked(parts: tuple[pd.DataFrame, ...]) -> None:
    model = fit("gradient_boosting", SPEC, parts[0].head(600), parts[1])
    check_trees(model, SPEC)
    trees = model.calibrated_classifiers_[0].estimator.estimator[-1]._predictors
    trees[3][0].nodes["left"][0] = 10_000
    with pytest.raises(BrokenModel, match="points outside itself"):
        check_trees(model, SPEC)


def test_bgnbd_expects_less_of_who_is_overdue_and_fits_published_parameters() -> None:
    rng = generator("bgnbd")
    age = np.full(4_000, 52.0)
    rate, leave = rng.gamma(0.8, 1 / 6.0, 4_000), rng.beta(0.8, 2.5, 4_000)
    visits, last = np.zeros(4_000), np.zeros(4_000)
    for n in range(4_000):
        at = 0.0
        while True:
            at += rng.exponential(1 / rate[n])
            if at > 52:
                break
            visits[n], last[n] = visits[n] + 1, at
            if rng.uniform() < leave[n]:
                break
    model = fit_bgnbd(visits, last, age)
    assert model.r == pytest.approx(0.8, abs=0.25)
    assert model.r / model.alpha == pytest.approx(0.8 / 6.0, rel=0.25)
    absent = model.absence(0, 13, np.array([10.0, 10.0]), np.array([51.0, 20.0]), np.array([52.0, 52.0]))
    assert absent[0] < absent[1]


def test_absence_by_bgnbd_ranks_people_who_stay_away() -> None:
    training, test = people(2_000, "one"), people(2_000, "two")
    absence = BASELINES["bg_nbd"](SPEC, HORIZON, training, test)
    assert auc(test[LABEL].to_numpy(float), absence) > 0.5


def test_drift_is_seen_in_the_feature_that_moved(parts: tuple[pd.DataFrame, ...]) -> None:
    _, metadata = served(parts)
    moved = parts[2].assign(recency_days=parts[2]["recency_days"] * 3)
    levels = score.drift(metadata, moved).set_index("feature")["drift_level"]
    assert levels["recency_days"] == "alarm"
    assert levels["messages_per_stream"] == "ok"
