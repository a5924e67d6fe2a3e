"""Which past predictions a scoring compares with what happened: not every one for ever."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest

from data_lake.layout import Layout
from ml import predictions
from ml.cards import Score, scorecard
from ml.serving import ModelVersion

QUESTION, TABLE = "next_stream", "next_streams"
MONDAY = date(2026, 3, 2)
WEEKS = [MONDAY + timedelta(weeks=n) for n in range(12)]


def predict(lake: Layout, day: date) -> None:
    path = lake.prediction_file(TABLE, day, QUESTION)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"predictions")


def evaluate(lake: Layout, last_day: date) -> list[date]:
    """One scoring: the days evaluated, each with a live score written."""
    due = predictions.to_evaluate(lake, TABLE, QUESTION, last_day=last_day, due_days=28, whole_days=28)
    evaluated = list(due)
    version = ModelVersion(QUESTION, "1", "run", MONDAY, MONDAY, True, {})
    for day in evaluated:
        score = Score("coverage", 0.8, 9, (day, day + timedelta(28)))
        predictions.write_live(lake, day, QUESTION, scorecard(version, "live", [score]), "evidence")
    return evaluated


@pytest.fixture
def scored(lake: Layout) -> Layout:
    for day in WEEKS:
        predict(lake, day)
    return lake


def test_a_prediction_is_evaluated_once_its_window_has_passed(scored: Layout) -> None:
    assert evaluate(scored, MONDAY + timedelta(27)) == []
    assert evaluate(scored, MONDAY + timedelta(28)) == [MONDAY]


def test_what_was_never_evaluated_is_however_old(scored: Layout) -> None:
    assert evaluate(scored, date(2027, 3, 1)) == WEEKS


def test_every_scoring_evaluates_four_weeks_again_and_no_more(scored: Layout) -> None:
    last = WEEKS[-1] + timedelta(28)
    assert evaluate(scored, last) == WEEKS
    assert evaluate(scored, last) == WEEKS[-5:]
    assert evaluate(scored, last + timedelta(29)) == []


def test_predictions_made_again_are_evaluated_again(scored: Layout) -> None:
    last = WEEKS[-1] + timedelta(100)
    evaluate(scored, last)
    predict(scored, WEEKS[3])
    os.utime(scored.prediction_file(TABLE, WEEKS[3], QUESTION), ns=(2**62, 2**62))
    assert evaluate(scored, last) == [WEEKS[3]]
