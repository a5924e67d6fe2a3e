"""Which days a run scores: those that features are held for."""

from __future__ import annotations

from datetime import UTC, date, datetime

from data_lake.layout import Layout
from data_lake.planning import Plan, begin_build, end_build
from data_lake.publish import Table, publish
from data_lake.store import connect
from orchestration.assets.models import days_to_score
from orchestration.window import Window

DATES = Table("dim_dates", "main.dim_dates", "One row per day.", {"date_day": "The day."})


def released(lake: Layout, last_eventful: str, as_of: date) -> Layout:
    todo = Plan(as_of, None, (), (), "models", "a test")
    begin_build(lake, todo, ())
    with connect(lake, str(lake.warehouse)) as connection:
        days = f"range(date '2026-03-01', date '{last_eventful}' + 1, interval 1 day)"
        connection.execute(f"create table dim_dates as select unnest({days})::date as date_day")
    end_build(lake, todo)
    publish(lake, [DATES], as_of=as_of, run_id="run", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    return lake


def test_the_latest_day_that_anything_happened_on_is_scored_and_not_the_day_of_a_later_snapshot(lake: Layout) -> None:
    released(lake, "2026-03-18", as_of=date(2026, 3, 20))
    assert days_to_score(lake, Window()) == [date(2026, 3, 18)]


def test_a_backfill_scores_the_mondays_of_its_days_and_the_latest_day(lake: Layout) -> None:
    released(lake, "2026-03-18", as_of=date(2026, 3, 18))
    asked = Window(date(2026, 3, 3), date(2026, 3, 31))
    assert days_to_score(lake, asked) == [date(2026, 3, 9), date(2026, 3, 16), date(2026, 3, 18)]
