{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with emotes as (
    select * from {{ ref('int_chat_emotes') }} where {{ in_window() }}
)

select
    event_date,
    platform,
    channel_id,
    emote_name,
    provider,
    sum(use_count)::bigint as use_count,
    count(*) as message_count,
    count(distinct viewer_id) as chatter_count
from emotes
group by event_date, platform, channel_id, emote_name, provider
