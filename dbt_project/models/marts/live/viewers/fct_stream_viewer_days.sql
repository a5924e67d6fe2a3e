{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as (
    select
        event_date, platform, channel_id, stream_id, viewer_id,
        count(*) as message_count,
        0 as event_count,
        0 as presence_poll_count,
        min(sent_at) as first_activity_at,
        max(sent_at) as last_activity_at,
        bool_or(is_bot) as is_marked_bot
    from {{ ref('fct_chat_messages') }}
    where {{ in_window() }} and viewer_id is not null
    group by all
),

events as (
    select
        event_date, platform, channel_id, stream_id, viewer_id,
        0 as message_count,
        count(*) as event_count,
        0 as presence_poll_count,
        min(occurred_at) as first_activity_at,
        max(occurred_at) as last_activity_at,
        false as is_marked_bot
    from {{ ref('int_stream_events_resolved') }}
    where {{ in_window() }} and viewer_id is not null and {{ is_audience_event() }}
    group by all
),

polls as not materialized (
    select
        event_date, platform, channel_id, stream_id, viewer_id, observed_at
    from {{ ref('stg_chatter_presence') }}
    where {{ in_window() }}
),

presence as (
    select
        event_date, platform, channel_id, stream_id, viewer_id,
        0 as message_count,
        0 as event_count,
        count(*) as presence_poll_count,
        min(observed_at) as first_activity_at,
        max(observed_at) as last_activity_at,
        false as is_marked_bot
    from {{ with_streams('polls', 'observed_at') }}
    group by all
),

unioned as (
    select * from messages
    union all
    select * from events
    union all
    select * from presence
)

select
    event_date,
    platform,
    channel_id,
    stream_id,
    viewer_id,
    sum(message_count)::bigint as message_count,
    sum(event_count)::bigint as event_count,
    sum(presence_poll_count)::bigint as presence_poll_count,
    min(first_activity_at) as first_activity_at,
    max(last_activity_at) as last_activity_at,
    bool_or(is_marked_bot) as is_marked_bot,
    case when sum(presence_poll_count) > 0 then 'presence_sampled' else 'chat_inferred' end as observability
from unioned
group by event_date, platform, channel_id, stream_id, viewer_id
