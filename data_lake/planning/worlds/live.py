"""How far changes of live streams affect other days than their own.

A stream may last for days, so what names or bounds it affects all of them. Four things tell: snapshots of streams and
segments, activity that names a stream, snapshots of channels known by their login, and snapshots that turn out to be
incomplete.
"""

from __future__ import annotations

from datetime import date, timedelta

import duckdb

from data_lake.contracts import contract
from data_lake.layout import Layout
from data_lake.planning.ranges import Range
from data_lake.planning.world import Parts, RawChanges, World, any_row, differing_sql, in_parts
from data_lake.snapshots import incomplete_snapshots
from data_lake.sql import file_list
from data_lake.store import scan

# Entities whose rows are signs of streams, as in the model int_stream_activity.
ACTIVITY_ENTITIES = ("chat_messages", "viewer_counts", "chat_counts", "stream_events")
INTERVAL_ENTITIES = ("streams", "stream_segments")
# The first and the last days of an interval have neighbours as well.
PADDING = timedelta(2)


def further_ranges(changes: RawChanges) -> list[Range] | str:
    """Ranges of days that streams take part of a change to, or why it is every day."""
    layout, connection, parts = changes.layout, changes.connection, changes.parts
    if _logins_differ(layout, connection, parts.get("channels", [])):
        return "a channel known by its login got another id"
    if ("streams" in parts or changes.as_of_moved) and _completeness_differs(
        layout, connection, parts.get("streams", []), changes.as_of
    ):
        return "earlier snapshots of streams turned out complete or incomplete"
    ranges = _stream_ranges(changes)
    for entity in INTERVAL_ENTITIES:
        if entity in parts:
            for first, last in _snapshot_intervals(layout, connection, entity, parts[entity], changes.as_of):
                ranges.append((first - PADDING, last + PADDING))
    return ranges


WORLD = World(
    models={
        "int_stream_activity": ("event_date", "platform", "stream_id"),
        "int_stream_intervals": ("platform", "stream_id", "channel_id", "started_at", "ended_at"),
        "stg_incomplete_snapshots": ("source", "folder", "platform", "observed_at"),
    },
    entities=frozenset({*ACTIVITY_ENTITIES, *INTERVAL_ENTITIES, "channels"}),
    further_ranges=further_ranges,
)


def _stream_ranges(changes: RawChanges) -> list[Range]:
    """Days that activity of streams affects beyond the neighbours of their own day.

    A first or last activity moves the start or end of a stream whose snapshot states none: rows that name no stream
    belong to it from the activity before to the activity after. And two names whose intervals overlap become one
    stream, or two again: then every day of both is another. Only streams over more than two days are followed; others
    are affected anyhow.
    """
    changed = [(entity, *part) for entity in ACTIVITY_ENTITIES for part in changes.parts.get(entity, [])]
    paths = [changes.layout.raw_partition(entity, day, source) for entity, day, source in changed]
    files = [path for path in paths if path.exists()]
    days = {day for _, day, _ in changed}
    if not days:
        return []
    read = f"""select platform, stream_id, channel_id, event_date as day
        from read_parquet({file_list(files)}, hive_partitioning = true, hive_types = {{'event_date': date}},
            union_by_name = true)"""
    nothing = "select null as platform, null as stream_id, null as channel_id, null::date as day"
    listed = ", ".join(f"date '{day}'" for day in sorted(days))
    rows = changes.connection.execute(
        f"""with changed as (
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
            select platform, stream_id, day from changed
            union
            select platform, stream_id, event_date from built_int_stream_activity
            semi join changed using (platform, stream_id)
            union
            select platform, stream_id, unnest([first_day, last_day]) from intervals
            semi join changed using (platform, stream_id)
        ), neighbours as (
            select *, lag(day, 1, day) over stream as before, lead(day, 1, day) over stream as after from active
            window stream as (partition by platform, stream_id order by day)
        ), spans as (
            select
                active.platform, active.stream_id, min(day) as first_day, max(day) as last_day,
                coalesce(
                    (select any_value(i.channel_id) from intervals as i
                    where i.platform = active.platform and i.stream_id = active.stream_id),
                    (select any_value(c.channel_id) from changed as c
                    where c.platform = active.platform and c.stream_id = active.stream_id)
                ) as channel_id
            from active group by active.platform, active.stream_id
        ), overlapping as (
            select
                spans.first_day, spans.last_day, other.first_day as other_first_day, other.last_day as other_last_day
            from spans inner join intervals as other
                on spans.platform = other.platform and spans.channel_id = other.channel_id
                and spans.stream_id <> other.stream_id
                and other.first_day <= spans.last_day and other.last_day >= spans.first_day
        ), affected as (
            select before as first_day, after as last_day from neighbours
            semi join changed using (platform, stream_id, day)
            union select first_day, last_day from overlapping
            union select other_first_day, other_last_day from overlapping
        )
        select first_day, last_day from affected where last_day - first_day > 1"""
    ).fetchall()
    return [(first, last) for first, last in rows]


def _snapshot_intervals(
    layout: Layout, connection: duckdb.DuckDBPyConnection, entity: str, parts: Parts, as_of: date
) -> list[Range]:
    """Start and end days of the streams of which these partitions hold a snapshot that differs from the one before.

    A stream lasts at least as long as it was last built to: a snapshot may state no end, and activity then does.
    """
    start = "segment_started_at" if entity == "stream_segments" else "coalesce(started_at, started_date)"
    end = "segment_ended_at" if entity == "stream_segments" else "ended_at"
    length = "0" if entity == "stream_segments" else "coalesce(duration_seconds, 0)"
    scan(layout, entity, connection).create_view("_snapshots", replace=True)
    columns = contract(entity).affected_days.interval_if_changed
    rows = connection.execute(
        f"""with bounds as (
            select
                platform, stream_id, min({start}) as first_start,
                max(coalesce({end}, {start} + to_seconds({length}))) as last_end
            from _snapshots where event_date <= date '{as_of}' group by platform, stream_id
        ), differing as ({differing_sql(contract(entity), columns, "_snapshots", parts, as_of)})
        select distinct
            least(bounds.first_start, built.started_at)::date, greatest(bounds.last_end, built.ended_at)::date
        from (select distinct platform, stream_id from differing)
        inner join bounds using (platform, stream_id)
        left join built_int_stream_intervals as built using (stream_id)
        where bounds.first_start is not null"""
    ).fetchall()
    return [(first, last) for first, last in rows]


def _logins_differ(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Parts) -> bool:
    """Whether these snapshots give a login to another channel, and some file knows a channel by that login alone."""
    if not parts:
        return False
    scan(layout, "channels", connection).create_view("_channels", replace=True)
    return any_row(
        connection,
        f"""with snapshots as (
            select event_date, source, platform, 'login:' || lower(login) as stand_in_id, channel_id,
                lag(channel_id) over (partition by platform, lower(login) order by observed_at) as before
            from _channels where login is not null and not contains(channel_id, ':')
        )
        select 1 from snapshots where channel_id is distinct from before and {in_parts(parts)}
            and (platform, stand_in_id) in (select (platform, channel_id) from _channels)""",
    )


def _completeness_differs(layout: Layout, connection: duckdb.DuckDBPyConnection, parts: Parts, as_of: date) -> bool:
    """Whether a snapshot outside these partitions became complete, or incomplete, since the warehouse was built."""
    incomplete_snapshots(layout, connection, as_of, "streams").create_view("_incomplete", replace=True)
    outside = f"not {in_parts(parts)}" if parts else "true"
    snapshot = "source, folder, platform, observed_at"
    return any_row(
        connection,
        f"""with now as (select distinct {snapshot} from _incomplete),
        flipped as (
            (from now except select {snapshot} from built_stg_incomplete_snapshots)
            union all (select {snapshot} from built_stg_incomplete_snapshots except from now)
        )
        select 1 from (select *, observed_at::date as event_date from flipped) where {outside}""",
    )
