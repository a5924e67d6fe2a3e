"""Forecasts on real series: `python -m benchmarks.models_series` (needs ../shared/data/{gdq,peyton_manning}).

GDQ: hourly mean viewers of 12 marathons, 24 hours ahead from 72, 96 and 120 hours, log(1 + y), MASE with a season of
24. The method that serves an event is the one with the lowest mean error over the eleven other events. Peyton
Manning: daily page views (given as logarithms), the tournament of ml.questions.forecast as it is.
"""

from __future__ import annotations

import json
import time

import numpy as np
import pandas as pd

from benchmarks.models_measure import shared_data
from ml.questions.forecast.evaluate import evaluate
from ml.questions.forecast.fit import DAILY, HELD_OUT, run
from ml.questions.forecast.methods import METHODS, Budget, scale_of
from ml.threads import one_thread

SEASON, AHEAD, ORIGINS = 24, 24, (72, 96, 120)
# Lumps and shortages of their own kind: no use on viewers, which are never zero on air.
LEFT_OUT = ("croston", "hurdle")


def hourly() -> dict[str, np.ndarray]:
    """Hourly means of observed viewers by event; hours without a sample are interpolated in between."""
    by_event = {}
    for folder in sorted((shared_data() / "gdq").glob("20*")):
        files = list(folder.glob("*.json"))
        path = next((f for f in files if f.name == "latest.json"), files[0])
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, list):
            at = pd.to_datetime([r["time"] for r in content], utc=True, format="ISO8601")
            viewers = [r.get("v") for r in content]
        else:
            at = pd.to_datetime([int(k) for k in content["data"]], unit="ms", utc=True)
            viewers = [row.get("v") for row in content["data"].values()]
        samples = pd.Series(pd.to_numeric(pd.Series(viewers), errors="coerce").to_numpy(), index=at).sort_index()
        means = samples[samples > 0].resample("1h").mean()
        by_event[folder.name] = means.interpolate().to_numpy()
    return by_event


@one_thread
def gdq() -> None:
    started = time.perf_counter()
    methods = [m for m in METHODS if m not in LEFT_OUT]
    rows = []
    seconds: dict[str, float] = {}
    for event, y in hourly().items():
        for origin in (o for o in ORIGINS if o + AHEAD <= len(y)):
            past, future = y[:origin], y[origin : origin + AHEAD]
            for method in methods:
                clock = time.process_time()
                forecast = np.expm1(METHODS[method](np.log1p(past), AHEAD, SEASON))
                seconds[method] = seconds.get(method, 0.0) + time.process_time() - clock
                error = float(np.mean(np.abs(forecast - future))) / scale_of(past, SEASON)
                rows.append({"event": event, "origin": origin, "method": method, "mase": error})
    errors = pd.DataFrame(rows)
    table = errors.groupby("method", sort=False)["mase"].agg(["mean", "median"])
    table["processor_seconds"] = pd.Series(seconds)
    by_event = errors.pivot_table(index="event", columns="method", values="mase")
    chosen = {event: by_event.drop(index=event).mean().idxmin() for event in by_event.index}
    served = np.mean([by_event.loc[event, method] for event, method in chosen.items()])
    print(f"GDQ, {by_event.shape[0]} events, {len(errors) // len(methods)} origins, {AHEAD} h ahead")
    print(table.round(3).to_string())
    print(f"chosen on the other events: MASE {served:.3f} ({', '.join(sorted(set(chosen.values())))})")
    print(f"{time.perf_counter() - started:.0f} s")


@one_thread
def peyton_manning() -> None:
    started = time.perf_counter()
    rows = pd.read_csv(shared_data() / "peyton_manning" / "peyton_manning.csv", parse_dates=["ds"])
    # Given as logarithms of views; days without a value are between their neighbours.
    views = np.expm1(rows.set_index("ds")["y"].resample("1D").mean().interpolate().to_numpy())
    budget = Budget()
    tournament = run("peyton_manning", "views", views, DAILY, budget)
    numbers = evaluate([tournament])
    parts = {"chosen on": slice(None, -HELD_OUT), "held out": slice(-HELD_OUT, None)}
    errors = {
        n: {m: float(tournament.errors(m, part).mean()) for m in tournament.forecasts} for n, part in parts.items()
    }
    given = f"{len(views):,} days ({len(rows):,} given)"
    print(f"Peyton Manning, {given}, {DAILY.judged} days ahead from {tournament.origins}")
    print(pd.DataFrame(errors).round(3).to_string())
    print(f"served {tournament.winner}: {numbers.median_ratio:.3f} of seasonal-naive's error on the last two origins")
    print(budget.sentence("prophet"))
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    peyton_manning()
    gdq()
