with streams as (
    select broadcast_id, started_at from {{ ref('int_broadcasts_summed') }} where started_at is not null
),

minutes as (
    select
        minutes.broadcast_id,
        minutes.minute_at,
        datediff('minute', streams.started_at, minutes.minute_at)::integer as stream_minute,
        minutes.human_message_count,
        -- viewers for a minute are viewer-minutes, which add up
        minutes.average_viewers * 1.0 as viewer_minutes
    from {{ ref('int_broadcast_minutes') }} as minutes
    inner join streams on minutes.broadcast_id = streams.broadcast_id
    where minutes.average_viewers > 0 and minutes.human_message_count is not null
),

smoothed as (
    select
        broadcast_id,
        minute_at,
        stream_minute,
        human_message_count / viewer_minutes as chat_per_viewer,
        sum(human_message_count) over around / sum(viewer_minutes) over around as smoothed_chat_per_viewer
    from minutes
    window around as (
        partition by broadcast_id order by minute_at
        range between interval 1 minute preceding and interval 1 minute following
    )
),

centred as (
    select
        *,
        smoothed_chat_per_viewer - median(smoothed_chat_per_viewer) over (partition by broadcast_id) as deviation
    from smoothed
),

scored as (
    select
        *,
        deviation / {{ robust_sd('deviation', ' over (partition by broadcast_id)') }} as robust_z
    from centred
),

high as (
    select
        *,
        coalesce(
            minute_at - lag(minute_at) over (partition by broadcast_id order by minute_at) > interval 2 minute, true
        ) as begins_peak
    from scored
    where robust_z > {{ var('peak_robust_sd') }}
),

numbered as (
    select
        *,
        count_if(begins_peak) over (partition by broadcast_id order by minute_at) as peak_number
    from high
),

peaks as (
    -- smoothing makes the neighbours of a peak as high as the peak: the minute is the one with most chat itself
    select
        broadcast_id,
        peak_number,
        arg_max(stream_minute, (chat_per_viewer, -stream_minute)) as stream_minute,
        max(robust_z) as robust_z
    from numbered
    group by broadcast_id, peak_number
),

strongest as (
    select
        *,
        round(robust_z / max(robust_z) over (partition by broadcast_id), 4) as score
    from peaks
    qualify row_number() over (partition by broadcast_id order by robust_z desc, stream_minute)
        <= {{ var('peak_limit') }}
)

select
    broadcast_id,
    list({minute: stream_minute, score: score} order by score desc, stream_minute) as peak_engagement_times
from strongest
group by broadcast_id
