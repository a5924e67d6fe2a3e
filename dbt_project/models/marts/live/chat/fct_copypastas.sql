{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with repetitions as (
    select * from {{ ref('int_chat_repetitions') }}
    where {{ in_window() }} and character_count >= {{ var('copypasta_characters') }}
),

copies as (
    select
        event_date,
        platform,
        channel_id,
        stream_id,
        text_hash,
        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at,
        count(*) as message_count,
        count(distinct viewer_id) as chatter_count,
        arg_min(message_id, (sent_at, message_id)) as first_message_id
    from repetitions
    group by event_date, platform, channel_id, stream_id, text_hash
    having count(distinct viewer_id) >= {{ var('copypasta_chatters') }}
)

select
    copies.event_date,
    copies.platform,
    copies.channel_id,
    copies.stream_id,
    copies.first_message_id,
    copies.first_sent_at,
    copies.last_sent_at,
    messages.text,
    copies.message_count,
    copies.chatter_count
from copies
inner join {{ ref('fct_chat_messages') }} as messages
    on copies.event_date = messages.event_date
    and copies.platform = messages.platform
    and copies.first_message_id = messages.message_id
    and {{ in_window('messages.event_date') }}
