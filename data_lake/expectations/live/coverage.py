"""Which share of a day's rows belong to a channel and a stream that some snapshot holds, and who typed most."""

from __future__ import annotations

from datetime import date

import duckdb

from data_lake.expectations.expectation import Figure, daily

KNOWN_RATIO = 0.95
# Twitch lets an account that does not moderate send 20 messages in 30 seconds.
MAX_VIEWER_DAY_MESSAGES = 57_600


def know_snapshots(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make the temporary tables of what snapshots hold, from the relations raw_channels and raw_streams.

    A stream is known by its platform and its own or its recording's id; one that a relay sends to many platforms, which
    stands under the relay's own, by source and id.
    """
    connection.execute(f"""create or replace temp table known_channels as
        select platform, channel_id, arg_max(login, observed_at) as login from raw_channels
        where event_date <= date '{as_of}' group by platform, channel_id""")
    connection.execute("""create or replace temp view channel_names as
        select platform, channel_id, login as name from known_channels""")
    connection.execute(f"""create or replace temp table source_streams as
        -- distinct: a stream is seen often
        select distinct source, platform, stream_id, vod_id from raw_streams where event_date <= date '{as_of}'""")
    connection.execute("""create or replace temp table known_streams as
        select platform, stream_id from source_streams
        union select platform, 'vod:' || vod_id from source_streams where vod_id is not null""")


# Stand-in ids ('stream:<id>', 'owner:<id>') are counted apart; a platform without any snapshot is not judged.
_CHANNELS = Figure(
    """
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
    from judged group by source, event_date""",
    ("platform", "channel_id"),
)

_STREAMS = Figure(
    """
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
    from judged group by source, event_date""",
    ("platform", "stream_id"),
)

_BUSIEST = Figure(
    """
    with counted as (
        select source, event_date, platform, viewer_id, count(*) as message_count from _rows
        where viewer_id is not null group by all
    )
    select
        source,
        event_date,
        max(message_count) as busiest_viewer_count,
        arg_max(platform || '/' || viewer_id, message_count) as busiest_viewer_id
    from counted group by source, event_date""",
    ("platform", "viewer_id"),
)

KNOWN_CHANNELS = daily(
    "channels_are_known",
    "known_channel_ratio",
    f"At least {KNOWN_RATIO:.0%} of a day's rows with a channel belong to one that a snapshot of channels holds.",
    KNOWN_RATIO,
    None,
    shows=("channel_row_count", "channel_stand_in_count", "unknown_channel_id"),
    says="{event_date}: {known_channel_ratio:.1%} of {channel_row_count} rows, without {unknown_channel_id}",
    figure=_CHANNELS,
)
KNOWN_STREAMS = daily(
    "streams_are_known",
    "known_stream_ratio",
    f"At least {KNOWN_RATIO:.0%} of a day's rows with a stream belong to one that a snapshot of streams holds.",
    KNOWN_RATIO,
    None,
    shows=("stream_row_count", "unknown_stream_id"),
    says="{event_date}: {known_stream_ratio:.1%} of {stream_row_count} rows, without {unknown_stream_id}",
    figure=_STREAMS,
)
COVERAGE = (KNOWN_CHANNELS, KNOWN_STREAMS)
VIEWERS_LIKE_PEOPLE = daily(
    "viewers_type_like_people",
    "busiest_viewer_count",
    f"One viewer sends at most {MAX_VIEWER_DAY_MESSAGES:,} messages a day.",
    0,
    MAX_VIEWER_DAY_MESSAGES,
    shows=("busiest_viewer_id",),
    says="{busiest_viewer_id} sent {busiest_viewer_count} messages on {event_date}",
    figure=_BUSIEST,
)
