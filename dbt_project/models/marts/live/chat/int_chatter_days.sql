{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as (
    {{ audience_messages([
        'messages.event_date', 'messages.platform', 'messages.channel_id', 'messages.viewer_id', 'messages.stream_id',
        'messages.sent_at'
    ]) }}
)

select
    event_date,
    platform,
    channel_id,
    viewer_id,
    min(sent_at) as first_message_at,
    -- a row and not the column alone: arg_min would pass over a null, which here says outside every stream
    arg_min({stream_id: stream_id}, (sent_at, stream_id)).stream_id as first_stream_id,
    count(*) as message_count
from messages
where viewer_id is not null
group by event_date, platform, channel_id, viewer_id
