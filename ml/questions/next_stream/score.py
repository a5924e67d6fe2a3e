"""Next stream's part of a scoring: what every start a creator used lately can expect, and how past ones turned out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import partial

import numpy as np
import pandas as pd

from ml.cards import Score
from ml.published import Published
from ml.questions.next_stream import QUESTION, dataset
from ml.questions.next_stream.fit import TRUSTED, predict
from ml.scoring import Answers, Comparison, Scorer
from ml.serving import Served


class NextStreamScorer(Scorer):
    """Average and peak viewers of each start, category and duration in use, and the best starts by evidence."""

    trusted = TRUSTED

    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        rows = dataset.options(published, as_of)
        if served is None or rows.empty:
            return Answers({}, {"no_model": len(rows)})
        ratios = predict(served.model, dataset.prepared(rows))
        ends = np.asarray(served.metadata["ends"])
        level = rows["average_viewers_last_12"].to_numpy(float)
        answers = rows.merge(dataset.best_durations(published, as_of), on="creator_id", how="left")
        for place, name in enumerate(("average_viewers", "peak_viewers")):
            answers[name] = level * np.exp(ratios[:, place])
            for side, end in enumerate(("low", "high")):
                answers[f"{name}_{end}"] = level * np.exp(ratios[:, place] + ends[place, side])
        has_evidence = answers["evidence_stream_count"] >= dataset.EVIDENCE_STREAMS
        best = (
            answers["average_viewers"]
            .where(has_evidence)
            .groupby([answers[k] for k in ("creator_id", "category_name", "duration_hours")])
            .transform("max")
        )
        is_best = has_evidence & (answers["average_viewers"] == best)
        answers = answers.assign(is_best_start=is_best, status="ok", method="ridge")
        return Answers({"next_streams": answers}, {"ok": len(answers)})

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        window = timedelta(QUESTION.horizon_days)
        streams = dataset.streams(published, max(answers) + window + timedelta(1))
        for day, rows in answers.items():
            until = day + window
            ended = streams["ended_at"] < pd.Timestamp(until + timedelta(1))
            is_inside = (streams["started_at"].dt.date > day) & ended
            both = _nearest(streams[is_inside], rows)
            if not both.empty:
                yield Comparison(day, both, partial(_live_scores, (day + timedelta(1), until), both))


SCORER = NextStreamScorer()


def _nearest(streams: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Each stream with the expectation of its own start and category at the nearest duration."""
    keys = ["creator_id", "iso_day_of_week", "hour_of_day", "category_name"]
    both = streams.merge(answers, on=keys, suffixes=("", "_expected"))
    both["off"] = (both["duration_hours"] - both["duration_hours_expected"]).abs()
    return both.sort_values(["broadcast_id", "off"], kind="stable").drop_duplicates("broadcast_id")


def _live_scores(window: tuple[date, date], both: pd.DataFrame) -> list[Score]:
    scores = []
    for name in ("average", "peak"):
        truth, expected = both[f"{name}_viewers"], both[f"{name}_viewers_expected"]
        error = float(np.mean(np.abs(np.log(truth / expected))))
        baseline = ("last_12", float(np.mean(np.abs(both[name])))) if name == "average" else None
        scores.append(Score(f"log_error_{name}", error, len(both), window, baseline=baseline))
    inside = both["average_viewers"].between(both["average_viewers_low"], both["average_viewers_high"])
    return [*scores, Score("coverage", float(inside.mean()), len(both), window)]
