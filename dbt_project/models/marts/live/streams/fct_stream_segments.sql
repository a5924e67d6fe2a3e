with streams as (
    select
        int_streams.*,
        broadcasts.broadcast_id
    from {{ ref('int_streams') }} as int_streams
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on int_streams.platform = broadcasts.platform and int_streams.stream_id = broadcasts.stream_id
),

stated as (
    select * from {{ ref('int_segments_latest') }}
),

minutes as (
    select * from {{ ref('fct_stream_minutes') }} where {{ is_seen() }}
),

reaches as (
    select
        platform,
        stream_id,
        min(minute_at) as first_minute_at,
        max(minute_at) as last_minute_at
    from minutes
    group by platform, stream_id
),

firsts as (
    select
        platform,
        stream_id,
        min(segment_started_at) as first_segment_at
    from stated
    group by platform, stream_id
),

segments as (
    select
        stated.platform,
        stated.stream_id,
        stated.segment_started_at,
        stated.segment_ended_at,
        -- a tool that tells titles only: the category is the stream's
        coalesce(stated.category_id, case when stated.category_name is null then streams.category_id end)
            as category_id,
        coalesce(stated.category_name, streams.category_name) as category_name,
        coalesce(stated.title, streams.title) as title,
        true as is_stated
    from stated
    inner join streams on stated.platform = streams.platform and stated.stream_id = streams.stream_id
    union all
    -- what lies before the first segment, or a stream without any
    select
        streams.platform,
        streams.stream_id,
        least(streams.started_at, reaches.first_minute_at) as segment_started_at,
        null as segment_ended_at,
        streams.category_id,
        streams.category_name,
        streams.title,
        false as is_stated
    from streams
    left join firsts on streams.platform = firsts.platform and streams.stream_id = firsts.stream_id
    left join reaches on streams.platform = reaches.platform and streams.stream_id = reaches.stream_id
    where least(streams.started_at, reaches.first_minute_at) is not null
        and (
            firsts.first_segment_at is null
            or date_trunc('minute', firsts.first_segment_at) > least(streams.started_at, reaches.first_minute_at)
        )
),

placed as (
    select
        segments.* exclude (segment_ended_at),
        streams.broadcast_id,
        streams.channel_id,
        greatest(
            segments.segment_started_at,
            coalesce(
                lead(segments.segment_started_at) over stream,
                greatest(segments.segment_ended_at, streams.ended_at, reaches.last_minute_at)
            )
        ) as segment_ended_at
    from segments
    inner join streams on segments.platform = streams.platform and segments.stream_id = streams.stream_id
    left join reaches on segments.platform = reaches.platform and segments.stream_id = reaches.stream_id
    window stream as (partition by segments.platform, segments.stream_id order by segments.segment_started_at)
),

assigned as (
    -- a minute belongs to the segment that it begins in, so that segments add up to the stream
    select
        minutes.*,
        placed.segment_started_at
    from minutes
    asof inner join (
        select platform, stream_id, segment_started_at, date_trunc('minute', segment_started_at) as from_minute_at
        from placed
        -- of two segments that begin in one minute the later takes it
        qualify row_number() over (
            partition by platform, stream_id, date_trunc('minute', segment_started_at) order by segment_started_at desc
        ) = 1
    ) as placed
        on minutes.platform = placed.platform
        and minutes.stream_id = placed.stream_id
        and minutes.minute_at >= placed.from_minute_at
),

totals as (
    select
        platform,
        stream_id,
        segment_started_at,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        {{ sum_seconds('observed_seconds') }} as observed_seconds,
        max(peak_viewers) as peak_viewers,
        arg_min(average_viewers, minute_at) as start_viewers,
        arg_max(average_viewers, minute_at) as end_viewers,
        sum(message_count)::bigint as message_count,
        sum(bot_message_count)::bigint as bot_message_count,
        sum(emote_count)::bigint as emote_count,
        sum(event_count)::bigint as event_count
    from assigned
    group by platform, stream_id, segment_started_at
)

select
    placed.broadcast_id,
    placed.platform,
    placed.channel_id,
    placed.stream_id,
    placed.segment_started_at,
    placed.segment_ended_at,
    placed.is_stated,
    placed.category_id,
    placed.category_name,
    placed.title,
    (epoch_us(placed.segment_ended_at) - epoch_us(placed.segment_started_at)) / 1000000 as segment_seconds,
    totals.viewer_seconds,
    coalesce(totals.observed_seconds, 0) as observed_seconds,
    totals.viewer_seconds / nullif(totals.observed_seconds, 0) as average_viewers,
    totals.peak_viewers,
    totals.start_viewers,
    totals.end_viewers,
    totals.message_count,
    totals.bot_message_count,
    totals.emote_count,
    coalesce(totals.event_count, 0) as event_count
from placed
left join totals
    on placed.platform = totals.platform
    and placed.stream_id = totals.stream_id
    and placed.segment_started_at = totals.segment_started_at
