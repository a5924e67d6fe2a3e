{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with stream_viewer_days as (
    select * from {{ ref('fct_stream_viewer_days') }}
),

chatters as (
    -- only who wrote this often in a day can have been over the limit in one of its minutes: most never are
    select
        event_date, platform, viewer_id
    from stream_viewer_days
    where {{ in_window(pad=1) }}
    group by all
    having sum(message_count) > {{ var('bot_messages_per_minute') }}
),

fast_minutes as (
    select
        messages.platform,
        messages.viewer_id,
        date_trunc('minute', messages.sent_at) as minute_at
    from {{ ref('fct_chat_messages') }} as messages
    semi join chatters
        on messages.event_date = chatters.event_date
        and messages.platform = chatters.platform
        and messages.viewer_id = chatters.viewer_id
    where {{ in_window('messages.event_date', pad=1) }}
    group by all
    having count(*) > {{ var('bot_messages_per_minute') }}
),

fast_runs as (
    select
        platform,
        viewer_id,
        lag(minute_at, 2) over viewer as first_minute_at,
        minute_at as last_minute_at
    from fast_minutes
    window viewer as (partition by platform, viewer_id order by minute_at)
    qualify lag(minute_at, 2) over viewer = minute_at - interval 2 minute
),

bots as (
    -- union, not union all: one row per account and day, whatever made it a bot
    select first_minute_at::date as event_date, platform, viewer_id from fast_runs
    union
    select last_minute_at::date as event_date, platform, viewer_id from fast_runs
    union
    select event_date, platform, viewer_id from stream_viewer_days where is_marked_bot and {{ in_window() }}
),

viewer_days as (
    select
        event_date,
        platform,
        channel_id,
        viewer_id,
        sum(message_count)::bigint as message_count,
        sum(event_count)::bigint as event_count,
        sum(presence_poll_count)::bigint as presence_poll_count,
        count(stream_id) as stream_count,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at
    from stream_viewer_days
    where {{ in_window() }}
    group by event_date, platform, channel_id, viewer_id
)

select
    viewer_days.event_date,
    viewer_days.platform,
    viewer_days.channel_id,
    viewer_days.viewer_id,
    viewer_days.message_count,
    viewer_days.event_count,
    viewer_days.presence_poll_count,
    viewer_days.stream_count,
    viewer_days.first_activity_at,
    viewer_days.last_activity_at,
    bots.viewer_id is not null as is_bot,
    case when viewer_days.presence_poll_count > 0 then 'presence_sampled' else 'chat_inferred' end as observability
from viewer_days
left join bots
    on viewer_days.event_date = bots.event_date
    and viewer_days.platform = bots.platform
    and viewer_days.viewer_id = bots.viewer_id
