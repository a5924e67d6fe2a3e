{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as not materialized (
    select * from {{ ref('stg_chat_messages') }}
),

mixed_days as (
    {{ mixed_days('chat_messages', 'message_id') }}
),

superseded as (
    {{ superseded_rows(ref('stg_chat_messages'), 'message_id', 'sent_at', ['text'], 'mixed_days') }}
),

kept as not materialized (
    select messages.* from messages
    anti join superseded
        on messages.event_date = superseded.event_date
        and messages.platform = superseded.platform
        and messages.message_id = superseded.message_id
    where {{ in_window('messages.event_date') }}
),

final as (
    select * from {{ with_streams('kept', 'sent_at') }}
)

select
    event_date,
    platform,
    message_id,
    sent_at,
    channel_id,
    stream_id,
    viewer_id,
    viewer_login,
    text,
    emotes,
    coalesce(len(list_filter(emotes, lambda emote: emote.name is not null)), 0) as emote_count,
    coalesce(len(list_filter(emotes, lambda emote: emote.name is null)), 0) as unnamed_emote_count,
    message_type,
    is_action,
    bits_count,
    reply_to_message_id,
    is_first_message,
    is_moderator,
    is_subscriber,
    is_vip,
    {{ is_marked_bot() }} as is_bot,
    shared_from_channel_id,
    source
from final
