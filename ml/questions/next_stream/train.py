"""Next stream's part of a training: rolling in time, judged on the last fifth of the streams."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from ml import plots
from ml.cards import Score
from ml.gates import Condition, better_than_baseline, calibrated, no_slice_falls, no_worse_than_champion
from ml.metrics import paired_bootstrap
from ml.published import Published, data_end_of
from ml.questions.next_stream.dataset import CATEGORICAL, MINIMUM_STREAMS, NUMERIC, TARGETS, streams
from ml.questions.next_stream.fit import BASELINES, LEVEL, TRUSTED, fit, predict
from ml.serving import Served
from ml.splits import SplitError
from ml.training import Evaluation, Trainer

FOLDS, TEST_FOLDS = 10, 2
COVERAGE_MARGIN = 0.10
SLICE_STREAMS = 10


@dataclass(frozen=True)
class Streams:
    """Streams in order of start, and the fold of each: the first half only teaches, the last two folds judge."""

    as_of: date
    rows: pd.DataFrame
    folds: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        return np.asarray(self.rows[TARGETS], dtype=float)

    @property
    def is_test(self) -> np.ndarray:
        return np.asarray(self.folds >= FOLDS - TEST_FOLDS)

    @property
    def judging_folds(self) -> range:
        return range(FOLDS // 2, FOLDS)


@dataclass(frozen=True)
class Fitted:
    """The model of all streams, and for each stream of the second half what a model of the folds before it expects."""

    model: Pipeline
    expected: np.ndarray


class NextStreamTrainer(Trainer[Streams, Fitted]):
    """Ridge regression on what is known before a stream begins."""

    purpose = "Average and peak viewers of a stream, from what is known before it begins."
    limits = (
        "Differences between weekdays, hours and categories are what was, not what a change would do.",
        "A start or category never used has no effect of its own: it is forecast like the average one.",
    )
    trusted = TRUSTED

    def split(self, published: Published, as_of: date) -> Streams:
        rows = streams(published, data_end_of(as_of))
        if len(rows) < MINIMUM_STREAMS:
            raise SplitError(f"{len(rows)} observed streams with four before them; {MINIMUM_STREAMS} are needed")
        return Streams(as_of, rows, np.arange(len(rows)) * FOLDS // len(rows))

    def fit(self, data: Streams, champion: Served | None) -> Fitted:
        expected = np.full((len(data.rows), len(TARGETS)), np.nan)
        for fold in data.judging_folds:
            expected[data.folds == fold] = predict(fit(data.rows[data.folds < fold]), data.rows[data.folds == fold])
        return Fitted(fit(data.rows), expected)

    def evaluate(self, data: Streams, fitted: Fitted, champion: Served | None) -> Evaluation:
        rows, truth, expected, test = data.rows, data.truth, fitted.expected, data.is_test
        earlier = (data.folds >= FOLDS // 2) & ~test
        baselines = {name: baseline(rows[~test], rows[test]) for name, baseline in BASELINES.items()}
        best = max(baselines, key=lambda n: closeness(truth[test, 0], baselines[n][:, 0]))
        # The champion may have learned from part of this test: the comparison then favours it, never the challenger.
        of_champion = predict(champion.model, rows[test]) if champion else None
        covered = _covered(truth[test] - expected[test], _ends(truth[earlier] - expected[earlier]))
        ends = _ends((truth - expected)[np.isfinite(expected[:, 0])])
        numbers = _table(truth[test], expected[test], baselines)
        return Evaluation(
            kind="ridge",
            title="ridge",
            model=fitted.model,
            example=rows[NUMERIC + CATEGORICAL].head(5),
            conditions=_conditions(
                rows[test], truth[test, 0], expected[test, 0], (best, baselines[best][:, 0]), of_champion, covered
            ),
            scores=_scores(rows["started_at"].dt.date[test], numbers.set_index("model"), best, covered),
            numbers=numbers,
            facts={"streams": len(rows), "test": f"the last {int(test.sum())}"},
            inputs={"train": ("feat_stream_starts", rows[NUMERIC + CATEGORICAL + TARGETS])},
            rows=len(rows),
            data_from=rows["started_at"].min().date(),
            data_end=data_end_of(data.as_of),
            baseline=best,
            metadata={"ends": ends.tolist(), "coverage": covered},
            parameters={
                "streams": len(rows),
                "folds": FOLDS,
                "test_folds": TEST_FOLDS,
                "alpha": fitted.model[-1].alpha,
            },
            metrics={
                "coverage": covered,
                "test_streams": float(test.sum()),
                **{f"{r.model}_log_error_average": float(r.average) for r in numbers.itertuples()},
            },
            folds={
                "fold_log_error": [
                    -closeness(truth[data.folds == fold, 0], expected[data.folds == fold, 0])
                    for fold in data.judging_folds
                ]
            },
            figures={
                "effects": lambda: plots.bars(
                    _effects(fitted.model), "Effect on average viewers", "log ratio to the last twelve streams"
                )
            },
        )


TRAINER = NextStreamTrainer()


def closeness(truth: np.ndarray, expected: np.ndarray) -> float:
    """Minus the mean absolute log error: the higher, the nearer."""
    return -float(np.mean(np.abs(truth - expected)))


def _ends(missed: np.ndarray) -> np.ndarray:
    """Conformal ends of the interval, one row per target: (low, high)."""
    tail = (1 - LEVEL) / 2
    return np.asarray(np.quantile(missed, [tail, 1 - tail], axis=0).T)


def _covered(missed: np.ndarray, ends: np.ndarray) -> float:
    return float(np.mean((missed >= ends[:, 0]) & (missed <= ends[:, 1])))


def _conditions(
    rows: pd.DataFrame,
    truth: np.ndarray,
    expected: np.ndarray,
    baseline: tuple[str, np.ndarray],
    of_champion: np.ndarray | None,
    covered: float,
) -> tuple[Condition, ...]:
    """By the mean absolute log error of the average, paired over streams; per creator as slices."""
    name, of_baseline = baseline
    against_baseline = paired_bootstrap(closeness, truth, expected, of_baseline, name="next_stream/baseline")
    against_champion = (
        paired_bootstrap(closeness, truth, expected, of_champion[:, 0], name="next_stream/champion")
        if of_champion is not None
        else None
    )
    falls = {}
    for creator in sorted(rows["creator_id"].unique()):
        mask = (rows["creator_id"] == creator).to_numpy()
        if mask.sum() >= SLICE_STREAMS:
            falls[f"creator {creator}"] = closeness(truth[mask], expected[mask]) - closeness(
                truth[mask], of_baseline[mask]
            )
    return (
        better_than_baseline(name, against_baseline),
        no_worse_than_champion(against_champion),
        calibrated(abs(covered - LEVEL), COVERAGE_MARGIN),
        no_slice_falls(falls),
    )


def _table(truth: np.ndarray, expected: np.ndarray, baselines: Mapping[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"model": name, "average": -closeness(truth[:, 0], p[:, 0]), "peak": -closeness(truth[:, 1], p[:, 1])}
            for name, p in {"ridge": expected, **baselines}.items()
        ]
    )


def _effects(model: Pipeline) -> dict[str, float]:
    # creator_weekday_<id>|5 is too long beside a bar: the id's first eight letters tell creators apart.
    names = [re.sub(r"_([^_|]{8})[^|]*\|", r" \1 ", n.partition("__")[2]) for n in model[0].get_feature_names_out()]
    effects = dict(zip(names, map(float, model[-1].coef_[0]), strict=True))
    return dict(sorted(effects.items(), key=lambda item: -abs(item[1]))[:30])


def _scores(days: pd.Series, by_model: pd.DataFrame, best: str, covered: float) -> list[Score]:
    window = (days.iloc[0], days.iloc[-1])
    scores = [
        Score(
            f"log_error_{target}",
            float(by_model.loc["ridge", target]),
            len(days),
            window,
            baseline=(best, float(by_model.loc[best, target])),
        )
        for target in TARGETS
    ]
    return [*scores, Score("coverage", covered, len(days), window)]
