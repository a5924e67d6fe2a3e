"""Which days the rows of changed raw partitions can alter, judged by raw/ and by what the warehouse was last built to.

A row tells about its own day and its neighbours; a stream may last for days, so what names or bounds it reaches
further. Which partitions changed, and what is built then, does not belong here (see `days`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import duckdb

from data_lake.layout import Layout
from data_lake.snapshots import incomplete_snapshots
from data_lake.store import connect, file_list, literal, scan

# A stream is seldom longer than a day: a row tells about its own day, the two before, and the one after that a sample
# held over midnight reaches into. Streams over more days than this are followed by name (_stream_days).
DAYS_BEFORE, DAYS_AFTER = 2, 1
INTERVAL_ENTITIES = ("streams", "stream_segments")
ALL_DAYS_ENTITIES = ("channel_owners",)
# Entities whose rows are signs of streams, as in the model int_stream_activity.
ACTIVITY_ENTITIES = ("chat_messages", "viewer_counts", "chat_counts", "stream_events")
# What a snapshot may change without any day's rows becoming others: views and followers grow with every snapshot.
SIGNATURE = {
    "streams": (
        "channel_id, source_broadcast_id, title, category_id, category_name, started_at, started_date, ended_at, "
        "duration_seconds, vod_id, is_rerun"
    ),
    "stream_segments": "segment_ended_at, category_id, category_name, title",
}

Range = tuple[date, date]
PartitionKey = tuple[str, date, str]
Parts = list[tuple[date, str]]

# Streams and incomplete snapshots as the warehouse was last built to; empty where it was never built completely.
_BUILT = {
    "int_stream_activity": "event_date date, platform varchar, stream_id varchar",
    "int_stream_intervals": (
        "platform varchar, stream_id varchar, channel_id varchar, started_at timestamp, ended_at timestamp"
    ),
    "stg_incomplete_snapshots": "source varchar, folder varchar, platform varchar, observed_at timestamp",
}


def span(first: date, last: date) -> set[date]:
    """Every day from the first to the last."""
    return {first + timedelta(n) for n in range((last - first).days + 1)}


def affected(
    layout: Layout, changed: set[PartitionKey], as_of: date, built_as_of: date
) -> tuple[set[date] | None, str]:
    """The days whose facts the changed partitions can alter, None for all; and why, where it is all."""
    days: set[date] = set()
    for _, day, _ in changed:
        days |= span(day - timedelta(DAYS_BEFORE), day + timedelta(DAYS_AFTER))
    parts: dict[str, Parts] = {}
    for entity, day, source in changed:
        parts.setdefault(entity, []).append((day, source))
    if not (
        parts.keys() & {*INTERVAL_ENTITIES, *ALL_DAYS_ENTITIES, *ACTIVITY_ENTITIES, "channels"} or as_of != built_as_of
    ):
        return days, ""
    with connect(layout) as connection:
        _attach(layout, connection)
        if _owners_differ(layout, connection, parts.get("channel_owners", [])):
            return None, "owners of channels changed"
        if _logins_differ(layout, connection, parts.get("channels", [])):
            return None, "a channel known by its login got another id"
        if ("streams" in parts or as_of != built_as_of) and _completeness_differs(
            layout, connection, parts.get("streams", []), as_of
        ):
            return None, "earlier snapshots of streams turned out complete or incomplete"
        ranges = _stream_days(layout, connection, parts)
        for entity in INTERVAL_ENTITIES:
            if entity in parts:
                for first, last in _snapshot_intervals(layout, connection, entity, parts[entity], as_of):
                    ranges.append((first - timedelta(DAYS_BEFORE), last + timedelta(DAYS_BEFORE)))
    for first, last in ranges:
        days |= span(first, last)
    return days, ""


def _attach(layout: Layout, connection: duckdb.DuckDBPyConnection) -> None:
    """Make a temporary view per model of `_BUILT` under its name, with `built_` before it."""
    connection.execute(f"attach {literal(str(layout.warehouse))} as warehouse (read_only)")
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'warehouse' and schema_name = 'main'"
        ).fetchall()
    }
    for name, columns in _BUILT.items():
        if name in there:
            wanted = ", ".join(column.split()[0] for column in columns.split(", "))
            connection.execute(f"create temp view built_{name} as select {wanted} from warehouse.main.{name}")
        else:
            connection.execute(f"create temp table built_{name} ({columns})")


def _in(parts: Iterable[tuple[date, str]]) -> str:
    """SQL: the row lies in one of these partitions."""
    listed = ", ".join(f"(date '{day}', {literal(source)})" for day, source in sorted(parts))
    return f"(event_date, source) in ({listed})"


def _stream_days(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: dict[str, Parts]) -> list[Range]:
    """Days that activity of streams reach into beyond the neighbours of their own day.

    A first or last activity moves the start or end of a stream whose snapshot states none: rows that name no stream
    belong to it from the activity before to the activity after. And two names whose intervals overlap become one
    stream, or two again: then every day of both is another. Only streams over more than two days are followed; others
    are reached anyhow.
    """
    files = [
        path
        for entity in ACTIVITY_ENTITIES
        for day, source in parts.get(entity, [])
        if (path := layout.raw_partition(entity, day, source)).exists()
    ]
    days = {day for entity in ACTIVITY_ENTITIES for day, _ in parts.get(entity, [])}
    if not days:
        return []
    read = f"""select platform, stream_id, channel_id, event_date as day
        from read_parquet({file_list(files)}, hive_partitioning = true, hive_types = {{'event_date': date}},
            union_by_name = true)"""
    nothing = "select null as platform, null as stream_id, null as channel_id, null::date as day"
    listed = ", ".join(f"date '{day}'" for day in sorted(days))
    rows = connection.execute(
        f"""with said as (
            select platform, stream_id, any_value(channel_id) as channel_id, day from ({read if files else nothing})
            where stream_id is not null group by all
            union
            select platform, stream_id, null, event_date from built_int_stream_activity
            where event_date in ({listed}) and stream_id is not null
        ), intervals as (
            select
                *, started_at::date as first_day, coalesce(ended_at, started_at)::date as last_day
            from built_int_stream_intervals where started_at is not null
        ), active as (
            select platform, stream_id, day from said
            union
            select platform, stream_id, event_date from built_int_stream_activity
            semi join said using (platform, stream_id)
            union
            select platform, stream_id, unnest([first_day, last_day]) from intervals
            semi join said using (platform, stream_id)
        ), neighbours as (
            select *, lag(day, 1, day) over stream as before, lead(day, 1, day) over stream as after from active
            window stream as (partition by platform, stream_id order by day)
        ), spans as (
            select
                active.platform, active.stream_id, min(day) as first_day, max(day) as last_day,
                coalesce(
                    (select any_value(i.channel_id) from intervals as i
                    where i.platform = active.platform and i.stream_id = active.stream_id),
                    (select any_value(s.channel_id) from said as s
                    where s.platform = active.platform and s.stream_id = active.stream_id)
                ) as channel_id
            from active group by active.platform, active.stream_id
        ), overlapping as (
            select
                spans.first_day, spans.last_day, other.first_day as other_first_day, other.last_day as other_last_day
            from spans inner join intervals as other
                on spans.platform = other.platform and spans.channel_id = other.channel_id
                and spans.stream_id <> other.stream_id
                and other.first_day <= spans.last_day and other.last_day >= spans.first_day
        ), reached as (
            select before as first_day, after as last_day from neighbours
            semi join said using (platform, stream_id, day)
            union select first_day, last_day from overlapping
            union select other_first_day, other_last_day from overlapping
        )
        select first_day, last_day from reached where last_day - first_day > 1"""
    ).fetchall()
    return [(first, last) for first, last in rows]


def _snapshot_intervals(
    layout: Layout, connection: duckdb.DuckDBPyConnection, entity: str, parts: Parts, as_of: date
) -> list[Range]:
    """Start and end days of the streams of which these partitions hold a snapshot that differs from the one before.

    A stream reaches at least as far as it was last built to: a snapshot may state no end, and activity then do.
    """
    start = "segment_started_at" if entity == "stream_segments" else "coalesce(started_at, started_date)"
    end = "segment_ended_at" if entity == "stream_segments" else "ended_at"
    length = "0" if entity == "stream_segments" else "coalesce(duration_seconds, 0)"
    key = "platform, stream_id" + (", segment_started_at" if entity == "stream_segments" else "")
    scan(layout, entity, connection).create_view("_snapshots", replace=True)
    rows = connection.execute(
        f"""with snapshots as (
            select *, hash({SIGNATURE[entity]}) as said,
                lag(hash({SIGNATURE[entity]})) over (partition by {key} order by observed_at) as said_before,
                min({start}) over (partition by platform, stream_id) as first_start,
                max(coalesce({end}, {start} + to_seconds({length}))) over (partition by platform, stream_id) as last_end
            from _snapshots where event_date <= date '{as_of}'
        ), differing as (
            select distinct stream_id, first_start, last_end from snapshots
            where said is distinct from said_before and first_start is not null and {_in(parts)}
        )
        select distinct
            least(first_start, started_at)::date, greatest(last_end, ended_at)::date
        from differing left join built_int_stream_intervals using (stream_id)"""
    ).fetchall()
    return [(first, last) for first, last in rows]


def _owners_differ(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Parts) -> bool:
    if not parts:
        return False
    scan(layout, "channel_owners", connection).create_view("_owners", replace=True)
    return _any(
        connection,
        f"""with snapshots as (
            select event_date, source, hash(creator_id, time_zone) as said,
                lag(hash(creator_id, time_zone)) over (partition by platform, channel_id order by observed_at) as before
            from _owners
        )
        select 1 from snapshots where said is distinct from before and {_in(parts)}""",
    )


def _logins_differ(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Parts) -> bool:
    """Whether these snapshots give a login to another channel, and some file knows a channel by that login alone."""
    if not parts:
        return False
    scan(layout, "channels", connection).create_view("_channels", replace=True)
    return _any(
        connection,
        f"""with snapshots as (
            select event_date, source, platform, 'login:' || lower(login) as stand_in_id, channel_id,
                lag(channel_id) over (partition by platform, lower(login) order by observed_at) as before
            from _channels where login is not null and not contains(channel_id, ':')
        )
        select 1 from snapshots where channel_id is distinct from before and {_in(parts)}
            and (platform, stand_in_id) in (select (platform, channel_id) from _channels)""",
    )


def _completeness_differs(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Parts, as_of: date) -> bool:
    """Whether a snapshot outside these partitions became complete, or incomplete, since the warehouse was built."""
    found = incomplete_snapshots(layout, connection, as_of)
    found.create_view("_incomplete", replace=True)
    outside = f"not {_in(parts)}" if parts else "true"
    snapshot = "source, folder, platform, observed_at"
    return _any(
        connection,
        f"""with now as (select distinct {snapshot} from _incomplete),
        flipped as (
            (from now except select {snapshot} from built_stg_incomplete_snapshots)
            union all (select {snapshot} from built_stg_incomplete_snapshots except from now)
        )
        select 1 from (select *, observed_at::date as event_date from flipped) where {outside}""",
    )


def _any(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    return connection.execute(f"{query} limit 1").fetchone() is not None
