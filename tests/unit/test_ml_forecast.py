"""The tournament: its rule towards the simpler, honest statuses, intervals, and series that are no good."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.gates import Gate
from ml.questions.forecast import fit, methods
from ml.questions.forecast.evaluate import conditions, evaluate

WEEK = np.array([0, 0, 5.0, 9.0, 3.0, 20.0, 14.0])
# On the log scale of the methods, without a day of zero.
SMOOTH = np.log1p(np.resize(np.array([1.0, 2.0, 3.0, 2.0, 5.0, 8.0, 6.0]), 140))


def history(y: np.ndarray, name: str = "c|twitch|1|message_count", metric: str = "message_count") -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=len(y))
    return pd.DataFrame({"unique_id": name, "metric": metric, "season": 7, "days": 1, "ds": days, "y": y})


def noisy_weeks(weeks: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(np.tile(WEEK + 3, weeks)).astype(float)


def test_equals_are_decided_for_the_simpler() -> None:
    errors = {"theta": np.array([1.0, 1.1, 0.9]), "seasonal_naive": np.array([1.05, 1.0, 1.0])}
    assert fit.choose(errors) == "seasonal_naive"


def test_a_method_that_is_clearly_better_wins() -> None:
    errors = {"theta": np.array([0.5, 0.52, 0.48]), "seasonal_naive": np.array([1.0, 1.1, 0.9])}
    assert fit.choose(errors) == "theta"


def test_a_noisy_week_is_not_forecast_by_its_last_repetition() -> None:
    series = fit.run("a", "m", noisy_weeks(40, 1), fit.DAILY)
    assert series.winner != "seasonal_naive"
    assert evaluate([series]).median_ratio < 0.95


def test_too_short_a_series_says_so_and_is_not_forecast() -> None:
    series = fit.run("a", "m", noisy_weeks(6, 1), fit.DAILY)
    assert series.status == "insufficient_history"
    assert "42 steps" in (series.reason or "")
    forecast = fit.Forecaster({}, {}).predict(history(noisy_weeks(1, 1)))
    assert set(forecast["status"]) == {"insufficient_history"}
    assert forecast["value"].isna().all()


def test_a_method_that_fails_is_named_and_never_replaced_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(y: np.ndarray, horizon: int, season: int) -> np.ndarray:
        raise FloatingPointError("no luck")

    monkeypatch.setitem(methods.METHODS, "theta", broken)
    series = fit.run("a", "m", noisy_weeks(40, 1), fit.DAILY)
    assert series.failures == {"theta": "FloatingPointError: no luck"}
    assert "theta" not in series.forecasts
    forecast = fit.Forecaster({"c|twitch|1|message_count": ["theta"]}, {}).predict(history(noisy_weeks(40, 1)))
    assert set(forecast["status"]) == {"fallback"}
    assert set(forecast["method"]) == {"seasonal_naive"}
    assert "no luck" in forecast["reason"].iloc[0]


def test_a_series_unknown_to_the_model_falls_back_with_the_reason() -> None:
    forecast = fit.Forecaster({}, {}).predict(history(np.tile(WEEK, 10)))
    assert set(forecast["status"]) == {"fallback"}
    assert np.allclose(forecast["value"].head(7), WEEK)


def test_intermittent_series_are_offered_methods_for_lumps() -> None:
    lumpy = np.log1p(np.tile([0, 0, 9.0, 0, 0, 8.0, 0], 20))
    assert "hurdle" in methods.candidates(lumpy, 7)
    assert "ets" not in methods.candidates(lumpy, 7)


def test_prophet_takes_part_where_there_is_a_season_to_find() -> None:
    assert "prophet" in methods.candidates(SMOOTH, 7)
    assert "prophet" not in methods.candidates(SMOOTH, 1)
    assert "prophet" in methods.candidates(np.where(np.arange(140) % 3 == 0, SMOOTH, 0.0), 7)


def test_prophet_finds_a_week_and_the_same_one_again() -> None:
    forecast = methods.prophet(SMOOTH, 14, 7)
    assert np.allclose(np.expm1(forecast), np.resize(np.expm1(SMOOTH[:7]), 14), rtol=0.05)
    assert np.array_equal(forecast, methods.prophet(SMOOTH, 14, 7))


def test_a_method_with_a_limit_is_left_out_of_the_series_that_no_longer_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(methods.METHODS, "prophet", methods.seasonal_naive)
    points = sum(fit.origins_of(280, fit.DAILY))
    budget = methods.Budget({"prophet": 2 * points})
    series = [fit.run(f"s{n}", "m", noisy_weeks(40, n), fit.DAILY, budget) for n in range(3)]
    assert ["prophet" in s.forecasts for s in series] == [True, True, False]
    assert budget.fits["prophet"] == 2 * fit.ORIGINS
    assert "left out of 1 series" in budget.sentence("prophet")


def test_pooled_intervals_hold_about_what_they_say_on_days_that_chose_nothing() -> None:
    tournaments = [fit.run(f"s{n}", "m", noisy_weeks(40, n), fit.DAILY) for n in range(6)]
    assert 0.7 <= evaluate(tournaments).covered <= 0.9


def test_an_interval_needs_fifty_residuals() -> None:
    assert fit.quantiles({"m|1-7": np.zeros(49)}) == {}
    assert fit.quantiles({"m|1-7": np.zeros(50)}) == {"m|1-7": [0.0, 0.0]}


def test_the_gate_refuses_winners_that_are_worse_than_the_last_week_again() -> None:
    tournaments = [fit.run(f"s{n}", "m", noisy_weeks(40, n), fit.DAILY) for n in range(4)]
    assert Gate(conditions(tournaments, evaluate(tournaments), None)).passed
    for series in tournaments:
        series.forecasts["theta"] = series.forecasts["seasonal_naive"] + 3.0
        series.winner = "theta"
    assert not Gate(conditions(tournaments, evaluate(tournaments), None)).passed


def test_the_same_history_gives_the_same_forecast() -> None:
    one, other = (fit.forecaster([fit.run("s", "m", noisy_weeks(30, 4), fit.DAILY)]) for _ in range(2))
    assert one.winners == other.winners
    rows = history(noisy_weeks(30, 4), "s", "m")
    pd.testing.assert_frame_equal(one.predict(rows), other.predict(rows))
