"""Speed of the models: `python -m benchmarks.models_speed` (made-up rows; wall and processor seconds side by side).

A million viewers scored with probability, interval and reasons; a thousand daily series refitted with methods chosen
before and forecast 90 days ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from ml.questions.churn import score, train
from ml.questions.churn.dataset import SPEC
from ml.questions.churn.fit import LABEL, MODELS, fit
from ml.questions.forecast.fit import Forecaster
from ml.seeds import generator
from ml.threads import one_thread

VIEWERS, SERIES, DAYS = 1_000_000, 1_000, 400
CHOSEN = ("seasonal_window_average", "theta", "ets", "mstl", "hurdle")


def timed(name: str, run: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(f"{name}: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of processor time")


def viewers(count: int, name: str) -> pd.DataFrame:
    """Feature rows with a label that follows recency."""
    rng = generator("speed", name)
    rows = pd.DataFrame({column: rng.gamma(2.0, 3.0, count) for column in SPEC.columns})
    leaves = 1 / (1 + np.exp(1.5 - np.log1p(rows["recency_days"]) + rows["attendance_ratio_28d"] / 6))
    rows[LABEL] = (rng.uniform(size=count) < leaves).astype(int)
    named = rows.assign(creator_id="c", platform="twitch", viewer_id=np.arange(count).astype(str))
    return named.assign(is_churn_eligible=True, last_activity_at=pd.Timestamp("2026-01-01"))


@one_thread
def main() -> None:
    many, few = viewers(VIEWERS, "many"), viewers(20_000, "few")
    for kind in MODELS:
        model = fit(kind, SPEC, few, few.head(2_000))
        metadata = train.metadata(model, few, few.head(2_000), 0.5)
        timed(f"churn, {kind}: {VIEWERS:,} viewers", lambda m=model, d=metadata: score.scores(m, d, many))
    rng = generator("speed", "series")
    week = np.array([3.0, 5.0, 9.0, 4.0, 12.0, 20.0, 15.0])
    days = pd.date_range("2025-01-01", periods=DAYS)
    parts = []
    for n in range(SERIES):
        y = rng.poisson(np.resize(week, DAYS) * rng.uniform(0.5, 5)).astype(float)
        parts.append(pd.DataFrame({"unique_id": f"s{n}", "metric": "m", "season": 7, "days": 1, "ds": days, "y": y}))
    history = pd.concat(parts, ignore_index=True)
    model = Forecaster({f"s{n}": [CHOSEN[n % len(CHOSEN)]] for n in range(SERIES)}, {})
    timed(f"forecast: {SERIES:,} series of {DAYS} days with chosen methods", lambda: model.predict(history))


if __name__ == "__main__":
    main()
