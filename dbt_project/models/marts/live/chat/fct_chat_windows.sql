with windows as (
    select * from {{ ref('int_chat_windows') }} where {{ is_seen() }}
),

viewer_ids as (
    select * from {{ ref('int_viewer_ids') }}
),

first_messages as (
    -- first ever in the channel: a login that a snapshot has named is the account's
    select
        days.platform,
        days.channel_id,
        coalesce(viewer_ids.viewer_id, days.viewer_id) as viewer_id,
        min(days.first_message_at) as sent_at,
        arg_min({stream_id: days.first_stream_id}, (days.first_message_at, days.viewer_id)).stream_id as stream_id
    from {{ ref('int_chatter_days') }} as days
    left join viewer_ids on days.platform = viewer_ids.platform and days.viewer_id = viewer_ids.stand_in_id
    where {{ is_seen('days.event_date') }}
    group by all
),

newcomers as (
    select
        platform, channel_id, stream_id,
        {{ chat_window('sent_at') }} as window_at,
        count(*) as new_chatter_count
    from first_messages
    group by all
)

select
    windows.event_date,
    windows.platform,
    windows.channel_id,
    windows.stream_id,
    windows.window_at,
    windows.message_count,
    windows.bot_message_count,
    windows.shared_message_count,
    windows.audience_message_count,
    windows.chatter_count,
    coalesce(newcomers.new_chatter_count, 0) as new_chatter_count,
    windows.repeated_message_count,
    windows.repeated_message_count / nullif(windows.audience_message_count, 0) as repetition_ratio,
    windows.emote_use_count,
    windows.viewer_minutes,
    windows.audience_message_count / nullif(windows.viewer_minutes, 0) as messages_per_viewer_minute,
    windows.chat_coverage_ratio
from windows
left join newcomers
    on windows.platform = newcomers.platform
    and windows.channel_id = newcomers.channel_id
    and windows.stream_id is not distinct from newcomers.stream_id
    and windows.window_at = newcomers.window_at
