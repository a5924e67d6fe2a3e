"""Which share of a day's rows belong to a channel and a stream that some snapshot holds: SQL over `_rows`.

What is expected of the share does not belong here.
"""

from __future__ import annotations

from datetime import date

import duckdb

# The columns of an entity that a figure of a day needs beside its source and event_date.
NEEDS = {
    "channels_are_known": ("platform", "channel_id"),
    "streams_are_known": ("platform", "stream_id"),
    "viewers_type_like_people": ("platform", "viewer_id"),
}


def know_snapshots(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make the temporary tables of what snapshots hold, from the relations raw_channels and raw_streams.

    A stream is known by its platform and its own or its recording's id; one that a relay sends to many platforms, which
    stands under the relay's own, by source and id.
    """
    connection.execute(f"""create or replace temp table known_channels as
        select platform, channel_id, arg_max(login, observed_at) as login from raw_channels
        where event_date <= date '{as_of}' group by platform, channel_id""")
    connection.execute(f"""create or replace temp table source_streams as
        -- distinct: a stream is seen often
        select distinct source, platform, stream_id, vod_id from raw_streams where event_date <= date '{as_of}'""")
    connection.execute("""create or replace temp table known_streams as
        select platform, stream_id from source_streams
        union select platform, 'vod:' || vod_id from source_streams where vod_id is not null""")


# Stand-in ids ('stream:<id>', 'owner:<id>') are counted apart; a platform without any snapshot is not judged.
CHANNELS = """
    with counted as (
        select source, event_date, platform, channel_id, count(*) as row_count from _rows
        where channel_id is not null group by all
    ), judged as (
        select
            counted.*,
            contains(counted.channel_id, ':') as is_stand_in,
            not is_stand_in and counted.platform in (select platform from known_channels) as is_judged,
            known_channels.channel_id is not null as is_known
        from counted left join known_channels using (platform, channel_id)
    )
    select
        source,
        event_date,
        sum(row_count) filter (is_judged) as channel_row_count,
        sum(row_count) filter (is_stand_in) as channel_stand_in_count,
        sum(row_count) filter (is_judged and is_known) as known_count,
        coalesce(known_count, 0) / channel_row_count as known_channel_ratio,
        arg_max(platform || '/' || channel_id, row_count) filter (is_judged and not is_known) as unknown_channel_id
    from judged group by source, event_date"""

STREAMS = """
    with counted as (
        select source, event_date, platform, stream_id, count(*) as row_count from _rows
        where stream_id is not null group by all
    ), judged as (
        select
            *,
            platform in (select platform from known_streams)
            or source in (select source from source_streams) as is_judged,
            (platform, stream_id) in (select (platform, stream_id) from known_streams)
            or (source, stream_id) in (select (source, stream_id) from source_streams) as is_known
        from counted
    )
    select
        source,
        event_date,
        sum(row_count) filter (is_judged) as stream_row_count,
        sum(row_count) filter (is_judged and is_known) as known_count,
        coalesce(known_count, 0) / stream_row_count as known_stream_ratio,
        arg_max(platform || '/' || stream_id, row_count) filter (is_judged and not is_known) as unknown_stream_id
    from judged group by source, event_date"""

BUSIEST = """
    with counted as (
        select source, event_date, platform, viewer_id, count(*) as message_count from _rows
        where viewer_id is not null group by all
    )
    select
        source,
        event_date,
        max(message_count) as busiest_viewer_count,
        arg_max(platform || '/' || viewer_id, message_count) as busiest_viewer_id
    from counted group by source, event_date"""

FIGURES = {"channels_are_known": CHANNELS, "streams_are_known": STREAMS, "viewers_type_like_people": BUSIEST}
