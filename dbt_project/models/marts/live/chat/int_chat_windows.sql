{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with bots as (
    -- distinct: an account has one row per channel
    select distinct event_date, platform, viewer_id from {{ ref('fct_viewer_days') }}
    where {{ in_window() }} and is_bot
),

marked as (
    select
        messages.event_date,
        messages.platform,
        messages.channel_id,
        messages.stream_id,
        {{ chat_window('messages.sent_at') }} as window_at,
        messages.viewer_id,
        bots.viewer_id is not null as is_bot,
        messages.shared_from_channel_id is not null as is_shared
    from {{ ref('fct_chat_messages') }} as messages
    left join bots
        on messages.event_date = bots.event_date
        and messages.platform = bots.platform
        and messages.viewer_id = bots.viewer_id
    where {{ in_window('messages.event_date') }}
),

messages as (
    select
        event_date, platform, channel_id, stream_id, window_at,
        count(*) as message_count,
        count_if(is_bot)::bigint as bot_message_count,
        count_if(is_shared)::bigint as shared_message_count,
        count_if(not is_bot and not is_shared)::bigint as audience_message_count,
        count(distinct viewer_id) filter (not is_bot and not is_shared) as chatter_count
    from marked
    group by all
),

repetitions as (
    select
        event_date, platform, channel_id, stream_id,
        {{ chat_window('sent_at') }} as window_at,
        count(*) as repeated_message_count
    from {{ ref('int_chat_repetitions') }}
    where {{ in_window() }}
    group by all
),

emotes as (
    select
        event_date, platform, channel_id, stream_id,
        {{ chat_window('sent_at') }} as window_at,
        sum(use_count)::bigint as emote_use_count
    from {{ ref('int_chat_emotes') }}
    where {{ in_window() }}
    group by all
)

select
    messages.event_date,
    messages.platform,
    messages.channel_id,
    messages.stream_id,
    messages.window_at,
    messages.message_count,
    messages.bot_message_count,
    messages.shared_message_count,
    messages.audience_message_count,
    messages.chatter_count,
    coalesce(repetitions.repeated_message_count, 0) as repeated_message_count,
    coalesce(emotes.emote_use_count, 0) as emote_use_count,
    -- half of the minute the window lies in
    minutes.average_viewers / 2 as viewer_minutes,
    minutes.chat_coverage_ratio
from messages
left join repetitions
    on messages.platform = repetitions.platform
    and messages.channel_id = repetitions.channel_id
    and messages.stream_id is not distinct from repetitions.stream_id
    and messages.window_at = repetitions.window_at
left join emotes
    on messages.platform = emotes.platform
    and messages.channel_id = emotes.channel_id
    and messages.stream_id is not distinct from emotes.stream_id
    and messages.window_at = emotes.window_at
left join {{ ref('fct_stream_minutes') }} as minutes
    on messages.event_date = minutes.event_date
    and messages.platform = minutes.platform
    and messages.stream_id = minutes.stream_id
    and date_trunc('minute', messages.window_at) = minutes.minute_at
