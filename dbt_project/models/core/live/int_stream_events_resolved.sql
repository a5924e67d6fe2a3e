{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

-- Events are few and lie in many small files: opening those once costs less than keeping the rows.
with events as materialized (
    select * from {{ ref('stg_stream_events') }}
    where {{ in_window(pad=1) }}
),

mixed_days as (
    {{ mixed_days('stream_events', 'event_id') }}
),

worded as not materialized (
    -- one tool reports a raid in the platform's words, another in none: they are not the raider's
    select * replace (case when event_type <> 'raid' then message_text end as message_text) from events
),

superseded as (
    {{ superseded_rows('worded', 'event_id', 'occurred_at', ['event_type', 'message_text'], 'mixed_days') }}
),

kept as not materialized (
    select events.* from events
    anti join superseded
        on events.event_date = superseded.event_date
        and events.platform = superseded.platform
        and events.event_id = superseded.event_id
    where {{ in_window('events.event_date') }}
),

final as (
    select * from {{ with_streams('kept', 'occurred_at') }}
)

select
    event_date,
    platform,
    event_id,
    occurred_at,
    channel_id,
    stream_id,
    viewer_id,
    viewer_login,
    event_type,
    tier,
    month_count,
    gift_count,
    gift_group_id,
    gift_recipient_id,
    raid_viewer_count,
    amount,
    currency,
    message_text,
    source
from final
