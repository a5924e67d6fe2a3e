"""Train the model of the next stream as of a day: rolling in time, judged on the last fifth of the streams."""

from __future__ import annotations

import re
from datetime import date

import mlflow
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from data_lake.layout import Layout
from ml import cards, plots
from ml.gates import Gate, better_than_baseline, calibrated, no_slice_falls, no_worse_than_champion
from ml.metrics import Interval, paired_bootstrap
from ml.outcome import Outcome
from ml.published import Published, data_end_of
from ml.questions.next_stream.dataset import CATEGORICAL, MINIMUM_STREAMS, NUMERIC, TARGETS, streams
from ml.questions.next_stream.fit import BASELINES, LEVEL, TRUSTED, fit, predict
from ml.seeds import ROOT_SEED
from ml.threads import one_thread
from ml.tracking import Registry, Trained, log_figures

FAMILY = "next_stream"
FOLDS, TEST_FOLDS = 10, 2
COVERAGE_MARGIN = 0.10
SLICE_STREAMS = 10
LIMITS = (
    "Differences between weekdays, hours and categories are what was, not what a change would do.",
    "A start or category never used has no effect of its own: it is forecast like the average one.",
)


def closeness(truth: np.ndarray, said: np.ndarray) -> float:
    """Minus the mean absolute log error: the higher, the nearer."""
    return -float(np.mean(np.abs(truth - said)))


@one_thread
def train(layout: Layout, as_of: date) -> Outcome:
    """Train with what was known at the end of `as_of`; registers a version, and promotes it when the gate lets it."""
    with Published(layout) as published:
        rows = streams(published, data_end_of(as_of))
    if len(rows) < MINIMUM_STREAMS:
        return Outcome(
            "insufficient_data", f"{len(rows)} observed streams with four before them; {MINIMUM_STREAMS} are needed"
        )
    # Every fold is forecast by a model of the folds before it; the first half only teaches.
    places = np.arange(len(rows)) * FOLDS // len(rows)
    folds = range(FOLDS // 2, FOLDS)
    said = np.full((len(rows), len(TARGETS)), np.nan)
    for fold in folds:
        said[places == fold] = predict(fit(rows[places < fold]), rows[places == fold])
    test, earlier = places >= FOLDS - TEST_FOLDS, (places >= FOLDS // 2) & (places < FOLDS - TEST_FOLDS)
    truth = rows[TARGETS].to_numpy(float)
    before = rows[places < FOLDS - TEST_FOLDS]
    baselines = {name: f(before, rows[test]) for name, f in BASELINES.items()}
    registry = Registry(layout)
    champion = registry.champion(FAMILY)
    # The champion may have learned from part of this test: the comparison then favours it, never the challenger.
    held = predict(registry.load(champion, TRUSTED)[0], rows[test]) if champion else None
    covered = _covered(truth[test] - said[test], _ends(truth[earlier] - said[earlier]))
    verdict, best = _gate(rows[test], truth[test], said[test], baselines, held, covered)
    model = fit(rows)
    ends = _ends((truth - said)[np.isfinite(said[:, 0])])
    tags = {"as_of": as_of.isoformat(), "model_kind": "ridge"}
    parameters = {
        "as_of": as_of,
        "seed": ROOT_SEED,
        "streams": len(rows),
        "folds": FOLDS,
        "test_folds": TEST_FOLDS,
        "alpha": model[-1].alpha,
    }
    numbers = _table(truth[test], said[test], baselines)
    with registry.run(FAMILY, f"ridge as of {as_of}", tags, parameters):
        registry.log_data(rows[NUMERIC + CATEGORICAL + TARGETS], "feat_stream_starts", "train")
        for step, fold in enumerate(folds):
            mlflow.log_metric(
                "fold_log_error", -closeness(truth[places == fold, 0], said[places == fold, 0]), step=step
            )
        mlflow.log_metrics(
            {
                "coverage": covered,
                "test_streams": float(test.sum()),
                **{f"{r.model}_log_error_average": float(r.average) for r in numbers.itertuples()},
            }
        )
        mlflow.log_table(numbers, "evaluation.json")
        log_figures(
            {
                "effects": lambda: plots.bars(
                    _effects(model), "Effect on average viewers", "log ratio to the last twelve streams"
                )
            }
        )
        trained = registry.register(
            FAMILY,
            model,
            rows[NUMERIC + CATEGORICAL].head(5),
            as_of=as_of,
            data_end=data_end_of(as_of),
            trusted=TRUSTED,
            metadata={"ends": ends.tolist(), "coverage": covered},
            tags=tags,
        )
        trained = registry.conclude(trained, passed=verdict.passed, message=verdict.message)
        text = cards.card(
            "next_stream: ridge",
            "Average and peak viewers of a stream, from what is known before it begins.",
            {"as of": as_of, "streams": len(rows), "test": f"the last {int(test.sum())}"},
            numbers,
            verdict,
            LIMITS,
        )
        cards.log(text, verdict)
    promoted = registry.promote(trained)
    _write(layout, as_of, trained, rows, test, numbers, best, covered, verdict)
    return Outcome("ok", verdict.message, trained, verdict, promoted)


def _ends(missed: np.ndarray) -> np.ndarray:
    """Conformal ends of the interval, one row per target: (low, high)."""
    tail = (1 - LEVEL) / 2
    return np.asarray(np.quantile(missed, [tail, 1 - tail], axis=0).T)


def _covered(missed: np.ndarray, ends: np.ndarray) -> float:
    return float(np.mean((missed >= ends[:, 0]) & (missed <= ends[:, 1])))


def _gate(
    rows: pd.DataFrame,
    truth: np.ndarray,
    said: np.ndarray,
    baselines: dict[str, np.ndarray],
    held: np.ndarray | None,
    covered: float,
) -> tuple[Gate, str]:
    """By the mean absolute log error of the average, paired over streams; per creator as slices."""
    own = truth[:, 0]
    best = max(baselines, key=lambda n: closeness(own, baselines[n][:, 0]))
    against: Interval = paired_bootstrap(closeness, own, said[:, 0], baselines[best][:, 0], name="next_stream/baseline")
    champion = (
        paired_bootstrap(closeness, own, said[:, 0], held[:, 0], name="next_stream/champion")
        if held is not None
        else None
    )
    falls = {}
    for creator in sorted(rows["creator_id"].unique()):
        mine = (rows["creator_id"] == creator).to_numpy()
        if mine.sum() >= SLICE_STREAMS:
            falls[f"creator {creator}"] = closeness(own[mine], said[mine, 0]) - closeness(
                own[mine], baselines[best][mine, 0]
            )
    conditions = (
        better_than_baseline(best, against),
        no_worse_than_champion(champion),
        calibrated(abs(covered - LEVEL), COVERAGE_MARGIN),
        no_slice_falls(falls),
    )
    return Gate(conditions), best


def _table(truth: np.ndarray, said: np.ndarray, baselines: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": name, "average": -closeness(truth[:, 0], p[:, 0]), "peak": -closeness(truth[:, 1], p[:, 1])}
            for name, p in {"ridge": said, **baselines}.items()
        ]
    )


def _effects(model: Pipeline) -> dict[str, float]:
    # creator_weekday_<id>|5 is too long beside a bar: the id's first eight letters tell creators apart.
    names = [re.sub(r"_([^_|]{8})[^|]*\|", r" \1 ", n.partition("__")[2]) for n in model[0].get_feature_names_out()]
    found = dict(zip(names, map(float, model[-1].coef_[0]), strict=True))
    return dict(sorted(found.items(), key=lambda item: -abs(item[1]))[:30])


def _write(
    layout: Layout,
    as_of: date,
    trained: Trained,
    rows: pd.DataFrame,
    test: np.ndarray,
    numbers: pd.DataFrame,
    best: str,
    covered: float,
    verdict: Gate,
) -> None:
    days = rows["started_at"].dt.date[test]
    window = (days.iloc[0], days.iloc[-1])
    count = int(test.sum())
    by_model = numbers.set_index("model")
    found = [
        cards.score_row(
            trained,
            "backtest",
            f"log_error_{t}",
            float(by_model.loc["ridge", t]),
            rows=count,
            window=window,
            baseline=(best, float(by_model.loc[best, t])),
        )
        for t in TARGETS
    ]
    found.append(cards.score_row(trained, "backtest", "coverage", covered, rows=count, window=window))
    cards.write_backtest(
        layout,
        as_of,
        trained,
        found,
        kind="ridge",
        rows=len(rows),
        data_from=rows["started_at"].min().date(),
        baseline=best,
        gate=verdict,
    )
