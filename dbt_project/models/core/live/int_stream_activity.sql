{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as (
    select
        event_date, platform, stream_id, channel_id,
        min(sent_at) as first_activity_at,
        max(sent_at) as last_activity_at,
        count(*) as message_count,
        0 as positive_sample_count,
        null::timestamp[] as platform_started_ats,
        null::timestamp[] as platform_stopped_ats
    from {{ ref('stg_chat_messages') }}
    where {{ in_window() }}
    group by all
),

samples as (
    select
        event_date, platform, stream_id, channel_id,
        min(observed_at) as first_activity_at,
        max(observed_at) as last_activity_at,
        0 as message_count,
        count(*) filter (viewer_count > 0) as positive_sample_count,
        null::timestamp[] as platform_started_ats,
        null::timestamp[] as platform_stopped_ats
    from {{ ref('stg_viewer_counts') }}
    where {{ in_window() }}
    group by all
),

counted as (
    select
        event_date, platform, stream_id, channel_id,
        min(observed_at) as first_activity_at,
        max(observed_at) as last_activity_at,
        0 as message_count,
        0 as positive_sample_count,
        null::timestamp[] as platform_started_ats,
        null::timestamp[] as platform_stopped_ats
    from {{ ref('stg_chat_counts') }}
    where {{ in_window() }}
    group by all
),

events as (
    select
        event_date, platform, stream_id, channel_id,
        min(occurred_at) as first_activity_at,
        max(occurred_at) as last_activity_at,
        0 as message_count,
        0 as positive_sample_count,
        list(occurred_at order by occurred_at) filter (event_type = 'platform_started') as platform_started_ats,
        list(occurred_at order by occurred_at) filter (event_type = 'platform_stopped') as platform_stopped_ats
    from {{ ref('stg_stream_events') }}
    where {{ in_window() }}
    group by all
),

unioned as (
    select * from messages
    union all
    select * from samples
    union all
    select * from counted
    union all
    select * from events
),

final as (
    select
        event_date,
        platform,
        stream_id,
        channel_id,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        sum(message_count)::bigint as message_count,
        sum(positive_sample_count)::bigint as positive_sample_count,
        any_value(platform_started_ats) as platform_started_ats,
        any_value(platform_stopped_ats) as platform_stopped_ats
    from unioned
    group by event_date, platform, stream_id, channel_id
)

select
    event_date,
    platform,
    stream_id,
    channel_id,
    first_activity_at,
    last_activity_at,
    message_count,
    positive_sample_count,
    platform_started_ats,
    platform_stopped_ats
from final
