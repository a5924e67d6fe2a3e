"""The frames that expectations look at, computed in DuckDB: the rows of a window, one row per day, one per snapshot.

Whole-set figures are computed here, so that a frame stays small whatever the lake holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil

import duckdb

from data_lake.expectations.expectation import Expectation, Shape
from data_lake.planning.ranges import Days
from data_lake.snapshots import snapshot_losses_sql
from data_lake.sql import quoted

TRAILING_DAYS = 28
# A median of fewer days says nothing about the next one.
FEWEST_DAYS = 7
# What lies this close to midnight is the end or the start of another day's stream: it has no usual volume.
MIDNIGHT_HOURS = 1
FRAME_ROWS = 1_000_000
# Rows read more than once are kept in memory up to here, and read again from their files beyond.
KEPT_ROWS = 2_000_000


@dataclass(frozen=True)
class Subject:
    """What is judged: a relation, its suite, the columns that name a row, and SQL for a row's landing file.

    The relation has `source` and, unless `event_time` is None, that column and `event_date`.
    """

    relation: str
    suite: tuple[Expectation, ...]
    key: tuple[str, ...]
    event_time: str | None
    has_landing_file: bool


@dataclass(frozen=True)
class Frame:
    """A relation `figures` with `source` and one column per expectation, and `rows`, where a row outside is found.

    `rows` has the columns of `key`; `landing_file` is SQL over its alias `frame`. Sampled figures have `_sampled`.
    """

    figures: str
    rows: str
    key: tuple[str, ...]
    landing_file: str
    is_sampled: bool = False


def in_days(days: Days, as_of: date, *, pad: int = 0) -> str:
    """SQL: the event_date lies in one of the ranges, each made `pad` days longer at its start."""
    seen = f"event_date <= date '{as_of}'"
    if days is None:
        return seen
    ranges = [f"event_date between date '{first}' - {pad} and date '{last}'" for first, last in days]
    return f"({seen} and ({' or '.join(ranges) or 'false'}))"


def frames(connection: duckdb.DuckDBPyConnection, subject: Subject, days: Days, as_of: date) -> dict[Shape, Frame]:
    """The frames of rows and, where the subject has an event time, of days; made as `_rows` and `_days`."""
    where = in_days(days, as_of) if subject.event_time else "true"
    if subject.event_time:
        _count_days(connection, subject, days, as_of)
        counted = connection.execute(f"select sum(row_count) from _counts where {where}").fetchone()
    else:
        counted = connection.execute(f"select count(*) from {subject.relation}").fetchone()
    total = int(counted[0] or 0) if counted else 0
    _keep_rows(connection, subject, where, total)
    rows = f"(select * from {subject.relation} where {where})"
    by_shape: dict[Shape, Frame] = {
        "rows": Frame(
            "_rows", rows, subject.key, "landing_file" if subject.has_landing_file else "null::varchar", is_sampled=True
        )
    }
    if subject.event_time:
        _profile_days(connection, subject, where)
        # Read for the worst days only: any file with rows of the day.
        landing_file = (
            f"(select min(day.landing_file) from {subject.relation} as day"
            " where day.source = frame.source and day.event_date = frame.event_date)"
        )
        by_shape["days"] = Frame(
            "_days", "_days", ("event_date",), landing_file if subject.has_landing_file else "null::varchar"
        )
    return by_shape


def _keep_rows(connection: duckdb.DuckDBPyConnection, subject: Subject, where: str, total: int) -> None:
    """`_rows`: what of the window's rows expectations and figures need, with `_sampled` for about a million of them.

    The sample goes by the hash of the key: the same rows every time.
    """
    named = {e.column: e.sql for e in subject.suite if e.shape == "rows"}
    needed = [c for e in subject.suite if e.figure for c in e.figure.columns if c not in named]
    columns = ["source", *(["event_date"] if subject.event_time else []), *(f'"{c}"' for c in dict.fromkeys(needed))]
    columns += [f'{sql} as "{column}"' for column, sql in named.items()]
    sampled = f"hash({quoted(subject.key)}) % {ceil(total / FRAME_ROWS)} = 0" if total > FRAME_ROWS else "true"
    connection.execute("drop view if exists _rows" if _is_view(connection) else "drop table if exists _rows")
    connection.execute(
        f"create temp {'table' if total <= KEPT_ROWS else 'view'} _rows as "
        f"select {', '.join(columns)}, {sampled} as _sampled from {subject.relation} where {where}"
    )


def _is_view(connection: duckdb.DuckDBPyConnection) -> bool:
    count = connection.execute("select count(*) from duckdb_views() where view_name = '_rows'").fetchone()
    return bool(count and count[0])


def _count_days(connection: duckdb.DuckDBPyConnection, subject: Subject, days: Days, as_of: date) -> None:
    """`_counts`: rows by source and day, of the window and of the days before that say what is usual."""
    connection.execute(f"""create or replace temp table _counts as
        select
            source, event_date, count(*) as row_count,
            max({subject.event_time}) < event_date + interval {MIDNIGHT_HOURS} hour
                or min({subject.event_time}) >= event_date + interval {24 - MIDNIGHT_HOURS} hour as is_edge
        from {subject.relation} where {in_days(days, as_of, pad=TRAILING_DAYS)} group by source, event_date""")


def _profile_days(connection: duckdb.DuckDBPyConnection, subject: Subject, where: str) -> None:
    """`_days`: one row per source and day of the window with its volume and the figures its suite is about."""
    figures = [e.figure.sql for e in subject.suite if e.figure]
    joined = " ".join(f"left join ({sql}) as figure_{n} using (source, event_date)" for n, sql in enumerate(figures))
    connection.execute(f"""create or replace temp table _days as
        with usual as (
            select *, median(row_count) over before as median_count, count(*) over before as day_count from _counts
            window before as (
                partition by source order by event_date
                range between interval {TRAILING_DAYS} day preceding and interval 1 day preceding
            )
        ), volume as (
            select
                source, event_date, row_count,
                case when day_count >= {FEWEST_DAYS} and not is_edge then median_count end as usual_count,
                row_count / usual_count as volume_ratio
            from usual where {where}
        )
        select * from volume {joined}""")


def snapshot_frame(connection: duckdb.DuckDBPyConnection, listed: str, relation: str, days: Days, as_of: date) -> Frame:
    """The temporary table `_snapshots`: one row per snapshot and channel (see `snapshots`), with the channel's latest
    login.

    `lost_now` and `lost_before` are the rows that a channel had before it was gone from the newest snapshot or from an
    earlier one; a newest snapshot is judged whatever the window, all else in the window only.
    """
    connection.execute(f"""create or replace temp table _snapshots as
with losses as (
    select
        *,
        observed_at::date as event_date,
        rows_now = 0 and channel_id is not null as is_lost,
        is_lost and is_newest and not has_left as is_lost_now
    from ({snapshot_losses_sql(relation, listed, as_of)})
), judged as (
    select
        *,
        {in_days(days, as_of)} as is_in_window,
        -- a channel that left is told of once
        is_lost and not is_lost_now and (not has_left or observed_at = missing_since) as is_lost_before
    from losses
)
select
    judged.source, judged.platform, judged.observed_at, judged.channel_id,
    coalesce(channel_names.name, judged.channel_id, 'an unknown channel') as channel_name,
    judged.rows_before, judged.rows_now, judged.returned_count, judged.is_back, judged.has_left, judged.landing_file,
    case when judged.is_lost_now then judged.rows_before when judged.is_newest then 0 end as lost_now,
    case when judged.is_in_window then if(judged.is_lost_before, judged.rows_before, 0) end as lost_before,
    case when judged.is_in_window then judged.gone_count end as gone_count
from judged left join channel_names using (platform, channel_id)""")
    return Frame("_snapshots", "_snapshots", ("platform", "observed_at", "channel_id"), "landing_file")
