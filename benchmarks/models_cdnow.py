"""Churn on CDNOW: `python -m benchmarks.models_cdnow` (23,570 buyers; needs ../shared/data/cdnow).

Active customers: at least three purchases, one of them in the 182 days before the cut-off. Churned: nothing
bought in the 91 days after it. Train on
cut-offs up to 1 Oct 1997, calibrate on 31 Dec 1997, test on 31 Mar 1998; the label windows do not overlap.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.models_measure import Churn, shared_data
from ml.questions.churn.features import Feature, Spec
from ml.questions.churn.fit import Horizon
from ml.splits import LabelWindow, TimeSplit

SPEC = Spec(
    (
        Feature("days_since_last", "recency"),
        Feature("days_since_first", "tenure"),
        Feature("visits", "frequency"),
        Feature("visits_28", "frequency"),
        Feature("visits_91", "frequency"),
        Feature("amount_mean", "spending"),
        Feature("items_mean", "spending"),
        Feature("usual_gap_days", "cadence"),
        Feature("overdue", "cadence", is_skewed=False),
        Feature("trend", "trend", is_skewed=False),
    ),
    visits="visits",
    first_days="days_since_first",
    last_days="days_since_last",
)
HORIZON = Horizon(0, 91)
DATA_END = date(1998, 7, 1)
ACTIVE_DAYS = 182
TEST = DATA_END - timedelta(91)
CALIBRATE = TEST - timedelta(91)
TRAIN = tuple(CALIBRATE - timedelta(91 + 14 * n) for n in range(5))


def read(path: Path) -> pd.DataFrame:
    """One row per customer and day with a purchase."""
    lines = "select unnest(string_split(content, chr(10))) as line from read_text(?)"
    return duckdb.execute(
        f"""with parts as (select regexp_split_to_array(trim(line), '\\s+') as p from ({lines})
            where regexp_matches(line, '^\\s*\\d'))
        select p[1] as customer, strptime(p[2], '%Y%m%d')::date as day,
            sum(p[3]::int) as items, sum(p[4]::double) as amount
        from parts group by all order by all""",
        [str(path)],
    ).df()


def snapshot(purchases: pd.DataFrame, window: LabelWindow) -> pd.DataFrame:
    """Features before the cut-off and the label after it, for customers who were active before it."""
    return duckdb.execute(
        """with past as (select *, $cutoff::date as cutoff from purchases where day < $cutoff),
        future as (select distinct customer from purchases where day >= $from and day < $to),
        known as (
            select customer, cutoff,
                date_diff('day', max(day), cutoff) as days_since_last,
                date_diff('day', min(day), cutoff) as days_since_first,
                count(*) as visits,
                count(*) filter (day >= cutoff - 28) as visits_28,
                count(*) filter (day >= cutoff - 91) as visits_91,
                avg(amount) as amount_mean, avg(items) as items_mean,
                case when count(*) > 1 then date_diff('day', min(day), max(day)) / (count(*) - 1.0) end
                    as usual_gap_days
            from past group by customer, cutoff)
        select known.*, ln((1 + days_since_last) / (1 + coalesce(usual_gap_days, days_since_first))) as overdue,
            ln((1 + visits_91) / (1 + visits * 91.0 / greatest(days_since_first, 91))) as trend,
            future.customer is null as churned
        from known left join future using (customer)
        where days_since_last <= $active and visits >= 3 order by customer""",
        {"cutoff": window.cutoff, "from": window.label_from, "to": window.label_to, "active": ACTIVE_DAYS},
    ).df()


def main() -> None:
    purchases = read(shared_data() / "cdnow" / "CDNOW_master.txt")
    windows = [LabelWindow(day, HORIZON.gap_days, HORIZON.label_days) for day in (*TRAIN, CALIBRATE, TEST)]
    split = TimeSplit(tuple(windows[:-2]), windows[-2], windows[-1], DATA_END)
    train = pd.concat([snapshot(purchases, w) for w in split.train], ignore_index=True)
    Churn("CDNOW", SPEC, HORIZON, train, snapshot(purchases, split.calibrate), snapshot(purchases, split.test)).report()


if __name__ == "__main__":
    main()
