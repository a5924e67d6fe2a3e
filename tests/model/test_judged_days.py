"""Which past predictions a scoring compares with what happened: not every one for ever."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pandas as pd
import pytest

from data_lake.layout import Layout
from ml import cards, predictions
from ml.tracking import Trained

FAMILY, TABLE = "next_stream", "next_streams"
MONDAY = date(2026, 3, 2)
WEEKS = [MONDAY + timedelta(weeks=n) for n in range(12)]


def predict(lake: Layout, day: date) -> None:
    path = lake.prediction_file(TABLE, day, FAMILY)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"predictions")


def judge(lake: Layout, last_day: date) -> list[date]:
    """One scoring: the days judged, each with a live score written."""
    due = predictions.to_judge(lake, TABLE, FAMILY, last_day=last_day, due_days=28, whole_days=28)
    judged = list(due)
    trained = Trained(FAMILY, "1", "run", MONDAY, MONDAY, True, {})
    for day in judged:
        row = cards.score_row(trained, "live", "coverage", 0.8, rows=9, window=(day, day + timedelta(28)))
        predictions.write_live(lake, day, FAMILY, pd.DataFrame([row]))
    return judged


@pytest.fixture
def scored(lake: Layout) -> Layout:
    for day in WEEKS:
        predict(lake, day)
    return lake


def test_a_prediction_is_judged_once_its_window_has_passed(scored: Layout) -> None:
    assert judge(scored, MONDAY + timedelta(27)) == []
    assert judge(scored, MONDAY + timedelta(28)) == [MONDAY]


def test_what_was_never_judged_is_however_old(scored: Layout) -> None:
    assert judge(scored, date(2027, 3, 1)) == WEEKS


def test_every_scoring_judges_four_weeks_again_and_no_more(scored: Layout) -> None:
    last = WEEKS[-1] + timedelta(28)
    assert judge(scored, last) == WEEKS
    assert judge(scored, last) == WEEKS[-5:]
    assert judge(scored, last + timedelta(29)) == []


def test_predictions_made_again_are_judged_again(scored: Layout) -> None:
    last = WEEKS[-1] + timedelta(100)
    judge(scored, last)
    predict(scored, WEEKS[3])
    os.utime(scored.prediction_file(TABLE, WEEKS[3], FAMILY), ns=(2**62, 2**62))
    assert judge(scored, last) == [WEEKS[3]]
