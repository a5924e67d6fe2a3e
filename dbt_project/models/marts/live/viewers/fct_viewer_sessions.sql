{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with polls as not materialized (
    select
        event_date, platform, channel_id, stream_id, viewer_id, observed_at
    from {{ ref('stg_chatter_presence') }}
    where {{ in_window(pad=1) }}
),

activity as (
    -- the neighbours: a session began the day before, or goes on the day after
    select
        event_date, platform, channel_id, stream_id, viewer_id, sent_at as active_at,
        1 as message, 0 as event, 0 as poll
    from {{ ref('fct_chat_messages') }}
    where {{ in_window(pad=1) }} and viewer_id is not null and stream_id is not null
    union all
    select event_date, platform, channel_id, stream_id, viewer_id, occurred_at, 0, 1, 0
    from {{ ref('int_stream_events_resolved') }}
    where {{ in_window(pad=1) }} and viewer_id is not null and stream_id is not null and {{ is_audience_event() }}
    union all
    select event_date, platform, channel_id, stream_id, viewer_id, observed_at, 0, 0, 1
    from {{ with_streams('polls', 'observed_at') }}
    where stream_id is not null
),

ordered as (
    select
        *,
        lag(active_at) over viewer as previous_at
    from activity
    window viewer as (partition by platform, stream_id, viewer_id order by active_at)
),

unbroken_days as (
    -- a UTC day without a gap, from its midnight on: what follows it starts anew, so that no session needs more than
    -- its own day and the next to be known
    select platform, stream_id, viewer_id, event_date
    from ordered
    group by all
    having count(*) >= 24 * 60 // {{ var('session_gap_minutes') }} - 1
        and bool_and(
            active_at - greatest(coalesce(previous_at, event_date), event_date)
            <= interval ({{ var('session_gap_minutes') }}) minute
        )
),

marked as (
    select
        ordered.*,
        ordered.previous_at is null
            or ordered.active_at - ordered.previous_at > interval ({{ var('session_gap_minutes') }}) minute
            or (unbroken_days.event_date is not null and ordered.previous_at < ordered.event_date) as is_start
    from ordered
    left join unbroken_days
        on ordered.platform = unbroken_days.platform
        and ordered.stream_id = unbroken_days.stream_id
        and ordered.viewer_id = unbroken_days.viewer_id
        and ordered.event_date = unbroken_days.event_date + 1
),

numbered as (
    select
        *,
        -- activity of one moment are of one session: the default frame counts the peers of a row with it
        count(*) filter (is_start) over (
            partition by platform, stream_id, viewer_id order by active_at
        ) as session_number
    from marked
),

sessions as (
    select
        min(active_at)::date as event_date,
        platform,
        min(channel_id) as channel_id,
        stream_id,
        viewer_id,
        min(active_at) as started_at,
        max(active_at) as ended_at,
        sum(message)::bigint as message_count,
        sum(event)::bigint as event_count,
        sum(poll)::bigint as presence_poll_count
    from numbered
    group by platform, stream_id, viewer_id, session_number
),

bots as (
    -- distinct: an account has one row per channel
    select distinct event_date, platform, viewer_id from {{ ref('fct_viewer_days') }}
    where {{ in_window() }} and is_bot
)

select
    sessions.event_date,
    sessions.platform,
    sessions.channel_id,
    sessions.stream_id,
    sessions.viewer_id,
    sessions.started_at,
    sessions.ended_at,
    (epoch_us(sessions.ended_at) - epoch_us(sessions.started_at)) / 1000000 as duration_seconds,
    sessions.message_count,
    sessions.event_count,
    sessions.presence_poll_count,
    sessions.ended_at::date > sessions.event_date as is_over_midnight,
    sessions.ended_at - sessions.started_at > interval ({{ var('session_flag_hours') }}) hour as is_over_24_hours,
    bots.viewer_id is not null as is_bot,
    case when sessions.presence_poll_count > 0 then 'presence_sampled' else 'chat_inferred' end as observability
from sessions
left join bots
    on sessions.event_date = bots.event_date
    and sessions.platform = bots.platform
    and sessions.viewer_id = bots.viewer_id
where {{ in_window('sessions.event_date') }}
