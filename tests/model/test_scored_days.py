"""Which days a run scores: those that features are held for."""

from __future__ import annotations

from datetime import date

from data_lake.layout import Layout
from orchestration.assets.models import days_to_score
from orchestration.window import Window
from tests.model.conftest import released


def test_the_latest_day_that_anything_happened_on_is_scored_and_not_the_day_of_a_later_snapshot(lake: Layout) -> None:
    released(lake, date(2026, 3, 18), as_of=date(2026, 3, 20))
    assert days_to_score(lake, Window()) == [date(2026, 3, 18)]


def test_a_backfill_scores_the_mondays_of_its_days_and_the_latest_day(lake: Layout) -> None:
    released(lake, date(2026, 3, 18), as_of=date(2026, 3, 18))
    asked = Window(date(2026, 3, 3), date(2026, 3, 31))
    assert days_to_score(lake, asked) == [date(2026, 3, 9), date(2026, 3, 16), date(2026, 3, 18)]
