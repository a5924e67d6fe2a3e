"""Withdrawals on OULAD as churn: `python -m benchmarks.models_oulad` (32,593 registrations; ../shared/data/oulad).

The folder holds neither the click-stream (studentVle) nor the scores (studentAssessment): there is no activity of
anybody between registering and withdrawing, and recency is the days since the last registration. vle.csv lists pages,
not visits.

Active: registered and not yet withdrawn on day 28 (for training also day 56) of a course. Churned: withdrew in the 91
days from there. Courses begin in February and October; the day is not given and taken as the first. Train on 2013,
calibrate on February 2014, test on October 2014. A row knows what happened before its cut-off: the final result is no
feature, and what a module lost before counts only once those 91 days are over.
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

# Who somebody is (gender, disability, region, age) is left out.
SPEC = Spec(
    (
        Feature("days_since_last", "recency"),
        Feature("days_since_first", "tenure"),
        Feature("registrations", "frequency"),
        Feature("open_courses", "frequency"),
        Feature("withdrawals_before", "history"),
        Feature("previous_attempts", "history"),
        Feature("credits", "load"),
        Feature("is_late", "cadence", is_skewed=False),
        Feature("assessments_ahead", "course"),
        Feature("course_days", "course"),
        Feature("pages", "course"),
        Feature("module_loss", "course", is_skewed=False),
        Feature("education", "background", is_skewed=False),
        Feature("deprivation", "background", is_skewed=False),
    ),
    visits="registrations",
    first_days="days_since_first",
    last_days="days_since_last",
)
HORIZON = Horizon(0, 91)
STARTS = {"2013B": date(2013, 2, 1), "2013J": date(2013, 10, 1), "2014B": date(2014, 2, 1), "2014J": date(2014, 10, 1)}
DAY, TRAIN_DAYS = 28, (28, 56)
# The shortest course of October 2014 is observed for 262 days.
DATA_END = STARTS["2014J"] + timedelta(262)
FILES = ("studentInfo", "studentRegistration", "courses", "assessments", "vle")
POINTER = "version https://git-lfs"

COURSES = """create table enrolments as
    select i.*, r.date_registration::int as registered, r.date_unregistration::int as withdrew,
        s.starts, s.starts + r.date_registration::int as registered_on,
        s.starts + r.date_unregistration::int as withdrew_on
    from studentInfo i
    join studentRegistration r using (code_module, code_presentation, id_student)
    join starts s using (code_presentation)
    -- without the day, neither who is there at a cut-off nor who leaves after it is known
    where r.date_registration is not null
        and not (i.final_result = 'Withdrawn' and r.date_unregistration is null)"""

SNAPSHOT = """
with here as (
    select * from enrolments
    where code_presentation = $presentation and registered < $day and coalesce(withdrew, 9999) >= $day
),
known as (select * from enrolments where registered_on < $cutoff),
people as (
    select id_student,
        date_diff('day', max(registered_on), $cutoff::date) as days_since_last,
        date_diff('day', min(registered_on), $cutoff::date) as days_since_first,
        count(*) as registrations,
        count(*) filter (starts <= $cutoff and coalesce(withdrew_on, '2999-01-01') >= $cutoff
            and starts > $cutoff::date - 240) as open_courses,
        count(*) filter (withdrew_on < $cutoff) as withdrawals_before
    from known group by all
),
-- the same question of the module's earlier courses, whose answer was known at the cut-off
losses as (
    select code_module, avg((coalesce(withdrew, 9999) < $day + $label)::int) as module_loss
    from enrolments
    where starts + $day + $label <= $cutoff and registered < $day and coalesce(withdrew, 9999) >= $day
    group by all
),
ahead as (
    select code_module, count(*) as assessments_ahead from assessments
    where code_presentation = $presentation and date::int >= $day and date::int < $day + $label group by all
),
sizes as (
    select code_module, count(*) as pages from vle where code_presentation = $presentation group by all
)
select here.id_student, $cutoff::date as cutoff, people.* exclude (id_student),
    here.num_of_prev_attempts::int as previous_attempts, here.studied_credits::int as credits,
    (here.registered >= 0)::int as is_late,
    coalesce(ahead.assessments_ahead, 0) as assessments_ahead,
    courses.module_presentation_length::int as course_days,
    sizes.pages, losses.module_loss,
    list_position(['No Formal quals', 'Lower Than A Level', 'A Level or Equivalent', 'HE Qualification',
        'Post Graduate Qualification'], here.highest_education) as education,
    regexp_extract(here.imd_band, '^\\d+')::int as deprivation,
    (coalesce(here.withdrew, 9999) < $day + $label)::int as churned
from here
join people using (id_student)
join courses on here.code_module = courses.code_module and here.code_presentation = courses.code_presentation
left join ahead on here.code_module = ahead.code_module
left join sizes on here.code_module = sizes.code_module
left join losses on here.code_module = losses.code_module
order by here.code_module, here.id_student"""


def read(folder: Path) -> duckdb.DuckDBPyConnection:
    """The tables, and who registered when. Raises ValueError for a file that is a Git LFS pointer."""
    connection = duckdb.connect()
    for name in FILES:
        path = folder / f"{name}.csv"
        if path.open(encoding="utf-8").readline().startswith(POINTER):
            raise ValueError(f"{path} is a Git LFS pointer, not the table: fetch it with git lfs pull")
        connection.execute(
            f"create table {name} as select * from read_csv('{path}', header = true, all_varchar = true, nullstr = '')"
        )
    starts = pd.DataFrame({"code_presentation": list(STARTS), "starts": pd.to_datetime(list(STARTS.values()))})
    connection.register("starts_given", starts)
    connection.execute("create table starts as select code_presentation, starts::date as starts from starts_given")
    connection.execute(COURSES)
    return connection


def snapshot(connection: duckdb.DuckDBPyConnection, presentation: str, day: int) -> pd.DataFrame:
    """Who is registered on that day of the courses of a presentation, what is known, and who leaves."""
    cutoff = STARTS[presentation] + timedelta(day)
    said = {"presentation": presentation, "day": day, "cutoff": cutoff, "label": HORIZON.label_days}
    rows = connection.execute(SNAPSHOT, said).df()
    return rows.astype(dict.fromkeys(SPEC.columns, float))


def main() -> None:
    connection = read(shared_data() / "oulad")
    lost = connection.execute("select (select count(*) from studentInfo) - count(*) from enrolments").fetchone()
    parts = [("2013B", d) for d in TRAIN_DAYS] + [("2013J", d) for d in TRAIN_DAYS] + [("2014B", DAY), ("2014J", DAY)]
    windows = [LabelWindow(STARTS[p] + timedelta(d), HORIZON.gap_days, HORIZON.label_days) for p, d in parts]
    split = TimeSplit(tuple(windows[:-2]), windows[-2], windows[-1], DATA_END)
    rows = [snapshot(connection, presentation, day) for presentation, day in parts]
    train, calibration, test = pd.concat(rows[:-2], ignore_index=True), rows[-2], rows[-1]
    test = test.assign(is_new=~test["id_student"].isin(train["id_student"]))
    print(f"OULAD: {lost[0] if lost else 0} registrations without a day left out; split {split.hash}")
    for (presentation, day), part in zip(parts, rows, strict=True):
        print(f"{presentation} day {day}: {len(part):,} registered, {part['churned'].mean():.3f} withdrew in 91 days")
    print(f"test rows of people in no training row: {int(test['is_new'].sum()):,}")
    Churn("OULAD", SPEC, HORIZON, train, calibration, test).report()


if __name__ == "__main__":
    main()
