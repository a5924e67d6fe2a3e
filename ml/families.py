"""The model families by name, and their verbs. Imports none of them: a family is loaded when it is asked something."""

from __future__ import annotations

import importlib
from datetime import date, timedelta
from typing import Any

from data_lake.layout import Layout

# In the order in which they are trained and scored.
FAMILIES = {
    "churn": "Who shows no activity in the four weeks after the next: probability, interval and reasons per viewer.",
    "forecast": "The next 90 days of each channel's daily and weekly counts, with intervals and scenarios.",
    "next_stream": "Average and peak viewers of the next stream by weekday, hour, category and duration.",
    "topics": "What the chat of each creator is about: topics named by their terms, per week, stream and viewer.",
}
TABLES = {
    "churn": ("viewer_churn", "model_drift"),
    "forecast": ("channel_forecasts",),
    "next_stream": ("next_streams",),
    "topics": ("topics", "topic_weeks", "topic_streams", "topic_viewers"),
}
# Written by all families: what a version is, and how good it was.
SCORECARD = ("model_versions", "model_scores")


def train(family: str, layout: Layout, as_of: date) -> Any:
    """Train a family as of a day; see `ml.<family>.train`. Returns an `ml.outcome.Outcome`."""
    return importlib.import_module(f"ml.questions.{family}.train").train(layout, as_of)


def score(family: str, layout: Layout, as_of: date) -> dict[str, int]:
    """Write a family's predictions as of a day; returns rows by status."""
    found: dict[str, int] = importlib.import_module(f"ml.questions.{family}.score").score(layout, as_of)
    return found


def judge(family: str, layout: Layout) -> int:
    """Compare past predictions with what happened since; returns how many as-of days were judged."""
    days: int = importlib.import_module(f"ml.questions.{family}.score").outcomes(layout)
    return days


def first_cut_offs(last_day: date) -> list[date]:
    """The Mondays a lake without any model is first trained as of: 13 and 5 weeks back, so that what they predict for
    four weeks, and the first of them for 90 days, has already happened and can be judged."""
    monday = last_day - timedelta(last_day.weekday())
    return [monday - timedelta(weeks=13), monday - timedelta(weeks=5)]


def unscored(family: str, layout: Layout) -> list[date]:
    """The days versions were trained as of that have no predictions yet: each is scored once as of its own day."""
    from ml import predictions
    from ml.tracking import Registry

    done = set(predictions.days(layout, TABLES[family][0], family))
    return sorted({v.as_of for v in Registry(layout).versions(family) if v.passed} - done)
