"""Splits refuse what could not have been known, metrics follow their definitions, gates refuse what is no better."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.drift import level, stability_index
from ml.gates import Gate, better_than_baseline, calibrated, no_slice_falls, no_worse_than_champion
from ml.metrics import Interval, auc, average_precision, calibration_error, paired_bootstrap, threshold_for, top
from ml.seeds import seed
from ml.splits import LabelWindow, SplitError, TimeSplit, folds, group_parts, normalised, rolling_origins, time_split

MONDAYS = [date(2026, 1, 5) + timedelta(weeks=n) for n in range(40)]


def split_of(data_end: date) -> TimeSplit:
    return time_split(MONDAYS, data_end=data_end, gap_days=7, label_days=28)


def test_the_latest_split_has_three_windows_one_after_the_other() -> None:
    split = split_of(date(2026, 9, 1))
    assert split.test.label_to <= split.data_end
    assert split.calibrate.label_to <= split.test.cutoff
    assert max(w.label_to for w in split.train) <= split.calibrate.cutoff
    assert split.test.cutoff == date(2026, 7, 27)


@given(st.dates(date(2026, 4, 1), date(2026, 12, 31)))
def test_no_split_learns_from_a_day_that_is_not_observed(data_end: date) -> None:
    try:
        split = split_of(data_end)
    except SplitError:
        return
    assert all(w.label_to <= data_end for w in (*split.train, split.calibrate, split.test))


def test_a_window_that_is_not_complete_is_refused() -> None:
    early, middle = LabelWindow(date(2026, 1, 5), 7, 28), LabelWindow(date(2026, 2, 9), 7, 28)
    with pytest.raises(SplitError, match="not complete"):
        TimeSplit((early,), middle, LabelWindow(date(2026, 3, 16), 7, 28), date(2026, 4, 19))


def test_overlapping_windows_are_refused() -> None:
    early, middle = LabelWindow(date(2026, 1, 5), 7, 28), LabelWindow(date(2026, 2, 2), 7, 28)
    with pytest.raises(SplitError, match="overlap"):
        TimeSplit((early,), middle, LabelWindow(date(2026, 3, 16), 7, 28), date(2026, 6, 1))


def test_too_little_time_says_so() -> None:
    with pytest.raises(SplitError, match="do not fit"):
        split_of(date(2026, 3, 20))


def test_the_hash_names_the_days_and_nothing_else() -> None:
    assert split_of(date(2026, 9, 1)).hash == split_of(date(2026, 9, 2)).hash
    assert split_of(date(2026, 9, 1)).hash != split_of(date(2026, 9, 8)).hash


def test_folds_lie_inside_the_training_part_and_do_not_overlap() -> None:
    split = split_of(date(2026, 9, 1))
    pairs = folds(split, 3)
    assert pairs
    assert {w for early, late in pairs for w in (*early, late)} <= set(split.train)
    assert all(max(w.label_to for w in early) <= late.cutoff for early, late in pairs)


def test_rolling_origins_leave_history_and_a_known_future() -> None:
    assert rolling_origins(100, horizon=28, step=14, count=7, minimum=20) == [30, 44, 58, 72]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=60))
def test_a_group_is_in_one_part_only(groups: list[str]) -> None:
    parts = group_parts(groups, [0.6, 0.2, 0.2], name="test")
    assert all(len({p for g, p in zip(groups, parts, strict=True) if g == group}) == 1 for group in groups)


def test_equal_texts_are_one_group() -> None:
    assert normalised("Hello,  WORLD!") == normalised("hello world")


def test_a_named_seed_does_not_depend_on_others() -> None:
    assert seed("a", "b") == seed("a", "b")
    assert seed("a", "b") != seed("a", "c")


def test_ranking_metrics_on_numbers_worked_out_by_hand() -> None:
    truth, score = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.8, 0.7, 0.1])
    assert auc(truth, score) == 0.75
    assert average_precision(truth, score) == pytest.approx((1 + 2 / 3) / 2)
    assert top(truth, score, 0.25) == (1.0, 0.5, 2.0)
    assert auc(truth, np.zeros(4)) == 0.5
    assert threshold_for(truth, score, precision=0.9, recall=0.4) == 0.9
    assert threshold_for(truth, score, precision=0.9, recall=0.9) is None


def test_a_probability_that_says_what_happens_is_calibrated() -> None:
    rng = np.random.default_rng(1)
    predicted = rng.uniform(size=20_000)
    truth = (rng.uniform(size=20_000) < predicted).astype(float)
    assert calibration_error(truth, predicted) < 0.02
    assert calibration_error(truth, np.clip(predicted + 0.2, 0, 1)) > 0.1


def test_paired_bootstrap_tells_a_better_score_from_an_equal_one() -> None:
    rng = np.random.default_rng(2)
    truth = (rng.uniform(size=800) < 0.4).astype(float)
    good, noise = truth + rng.normal(0, 1, 800), rng.normal(0, 1, 800)
    assert paired_bootstrap(auc, truth, good, noise, name="t").low > 0
    same = paired_bootstrap(auc, truth, good, good, name="t")
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("condition", "passed"),
    [
        (better_than_baseline("b", Interval(0.02, 0.001, 0.04)), True),
        (better_than_baseline("b", Interval(0.02, -0.001, 0.04)), False),
        (no_worse_than_champion(None), True),
        (no_worse_than_champion(Interval(-0.01, -0.015, 0.0)), True),
        (no_worse_than_champion(Interval(-0.01, -0.03, 0.01)), False),
        (calibrated(0.061), False),
        (no_slice_falls({"a": 0.1, "b": -0.06}), False),
        (no_slice_falls({}), True),
    ],
)
def test_a_condition_of_the_gate(condition: object, passed: bool) -> None:
    assert condition.passed is passed  # type: ignore[attr-defined]


def test_one_failed_condition_closes_the_gate_and_is_what_it_says() -> None:
    gate = Gate((calibrated(0.01), calibrated(0.2)))
    assert not gate.passed
    assert gate.message == "calibration error 0.200, limit 0.06"


def test_drift_is_none_for_the_same_and_an_alarm_for_another_distribution() -> None:
    rng = np.random.default_rng(3)
    reference = rng.normal(0, 1, 5_000)
    assert level(stability_index(reference, rng.normal(0, 1, 5_000))) == "ok"
    assert level(stability_index(reference, rng.normal(1, 1, 5_000))) == "alarm"
    missing = np.where(rng.uniform(size=5_000) < 0.5, np.nan, reference)
    assert level(stability_index(reference, missing)) == "alarm"
