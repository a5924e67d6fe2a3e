"""The questions, a package each. A package is found by being here; its QUESTION says everything others must know."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import date, timedelta

from ml.question import Question

# Written by the training and the scoring of every question: what a version is, and how good it was.
SCORECARD = ("model_versions", "model_scores")


def _discover() -> dict[str, Question]:
    """The QUESTION of each package here, by name. Raises ValueError where a package and its question differ in name."""
    questions: dict[str, Question] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        question: Question = importlib.import_module(f"{__name__}.{module.name}").QUESTION
        if question.name != module.name:
            raise ValueError(f"the package ml/questions/{module.name} declares the question {question.name!r}")
        questions[question.name] = question
    return questions


# In the order in which they are trained and scored.
QUESTIONS = _discover()


def first_cut_offs(last_day: date) -> list[date]:
    """The Mondays a lake without any model is first trained as of: 13 and 5 weeks back, so that what they predict for
    four weeks, and the first of them for 90 days, has already happened and can be evaluated."""
    monday = last_day - timedelta(last_day.weekday())
    return [monday - timedelta(weeks=13), monday - timedelta(weeks=5)]
