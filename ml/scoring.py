"""A scoring, the same for every question: choose and load the version, score, stamp, write; then compare past answers
with what happened. A question that fails leaves the others scored."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from data_lake.layout import Layout
from ml import predictions, serving
from ml.cards import Score, scorecard
from ml.digests import digest
from ml.published import Published
from ml.question import Question
from ml.serving import ModelVersion, Served
from ml.threads import one_thread


@dataclass(frozen=True)
class Answers:
    """The rows of a question's prediction tables as of a day, without the model's columns; their number by status."""

    tables: Mapping[str, pd.DataFrame]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Comparison:
    """The answers as of a day beside what happened: `rows`, whatever else is `evidence`, and the scores they come to.

    `scores` is asked only when rows or evidence are not those of the last time.
    """

    as_of: date
    rows: pd.DataFrame
    scores: Callable[[], Sequence[Score]]
    evidence: Sequence[pd.DataFrame] = ()


class Scorer(ABC):
    """A question's part of a scoring. `trusted` are the types its model files may hold."""

    trusted: Sequence[str]

    @abstractmethod
    def score(self, published: Published, as_of: date, served: Served | None) -> Answers:
        """The answers as of a day by the version that may give them; without one, what there is to say."""

    def evaluate_live(self, published: Published, answers: Mapping[date, pd.DataFrame]) -> Iterator[Comparison]:
        """Past answers, by their as-of day, each beside what happened since."""
        return iter(())

    def check(self, served: Served) -> None:
        """Raise when a loaded model does not hold what this question writes, or cannot answer what is asked now."""
        return


@dataclass(frozen=True)
class Scored:
    """What the scoring of one question came to: rows by status on the latest day, or why it failed."""

    question: Question
    counts: Mapping[str, int] = field(default_factory=dict)
    evaluated_days: int = 0
    seconds: float = 0.0
    error: str | None = None

    @property
    def sentence(self) -> str:
        if self.error:
            return f"failed: {self.error}"
        rows = ", ".join(f"{n:,} {status}" for status, n in sorted(self.counts.items())) or "nothing to score"
        return f"{rows}; {self.evaluated_days} past {'day' if self.evaluated_days == 1 else 'days'} evaluated"


def score_all(
    questions: Iterable[Question],
    layout: Layout,
    days: Sequence[date],
    on_question: Callable[[Question], None] = lambda question: None,
) -> list[Scored]:
    """Score these days, and days of new versions not scored yet; then evaluate what past answers came to.

    An exception of one question is its `error`, and the others go on.
    """
    results = []
    with Published(layout) as published:
        for question in questions:
            on_question(question)
            started = time.process_time()
            try:
                counts: Mapping[str, int] = {}
                for day in sorted({*days, *unscored(question, layout)}):
                    counts = score(question, layout, published, day)
                evaluated = evaluate_live(question, layout, published)
            except Exception as error:  # whatever a question raises is its own failure, said by the run
                results.append(Scored(question, error=f"{type(error).__name__}: {error}"))
            else:
                results.append(Scored(question, counts, evaluated, time.process_time() - started))
    return results


def unscored(question: Question, layout: Layout) -> list[date]:
    """The days versions were trained as of that have no answers yet: each is scored once as of its own day."""
    answered = set(predictions.days(layout, question.answers, question.name))
    return sorted({version.as_of for version in serving.versions(layout, question.name)} - answered)


@one_thread
def score(question: Question, layout: Layout, published: Published, as_of: date) -> Mapping[str, int]:
    """Replace a question's prediction tables as of a day; returns the rows by status."""
    scorer = question.scorer()
    version = serving.version_for(layout, question.name, as_of)
    served = serving.load(layout, version, scorer.trusted) if version else None
    if served:
        scorer.check(served)
    answers = scorer.score(published, as_of, served)
    for table in question.writes:
        rows = _stamped(table, answers.tables.get(table, pd.DataFrame()), question, version)
        predictions.write(layout, table, as_of, question.name, rows)
    return answers.counts


def _stamped(table: str, rows: pd.DataFrame, question: Question, version: ModelVersion | None) -> pd.DataFrame:
    """Rows with the model that made them, in the columns of their contract. Raises KeyError where one is missing."""
    if rows.empty:
        return rows
    stamped = rows.assign(
        model_name=question.name,
        model_version=version.version if version else None,
        run_id=version.run_id if version else None,
    )
    return stamped[[c.name for c in predictions.contract(table).columns if c.name != "as_of_date"]]


@one_thread
def evaluate_live(question: Question, layout: Layout, published: Published) -> int:
    """Compare past answers with what happened since; returns how many as-of days came to new scores.

    A day whose answers and outcomes are those of the last comparison is left as it is.
    """
    if not question.horizon_days:
        return 0
    due = predictions.to_evaluate(
        layout,
        question.answers,
        question.name,
        last_day=published.last_day,
        due_days=question.first_outcome_days or question.horizon_days,
        whole_days=question.horizon_days,
    )
    answers = {day: predictions.read(layout, question.answers, day, question.name) for day in due}
    without_scores, evaluated = dict(answers), 0
    for comparison in question.scorer().evaluate_live(published, answers) if answers else ():
        evidence = digest(comparison.rows, *comparison.evidence)
        if predictions.is_evaluated(layout, comparison.as_of, question.name, evidence):
            del without_scores[comparison.as_of]
        elif scores := comparison.scores():
            rows = scorecard(_version_of(question, comparison.as_of, comparison.rows), "live", scores)
            predictions.write_live(layout, comparison.as_of, question.name, rows, evidence)
            del without_scores[comparison.as_of]
            evaluated += 1
    for day, rows in without_scores.items():
        # Nobody came, or everybody did: written down, or it would be asked again by every scoring.
        predictions.write_live(layout, day, question.name, pd.DataFrame(), digest(rows))
    return evaluated


def _version_of(question: Question, as_of: date, answers: pd.DataFrame) -> ModelVersion:
    """The version that gave these answers, as their first row names it."""
    first: Any = answers.iloc[0]
    return ModelVersion(question.name, str(first["model_version"]), str(first["run_id"]), as_of, as_of, True, {})
