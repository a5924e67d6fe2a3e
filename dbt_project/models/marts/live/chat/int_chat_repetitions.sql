{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with messages as (
    -- a neighbouring day: a text is repeated over midnight
    {{ audience_messages([
        'messages.event_date', 'messages.platform', 'messages.message_id', 'messages.channel_id', 'messages.stream_id',
        'messages.sent_at', 'messages.viewer_id', 'hash(messages.viewer_id) as viewer_hash',
        'text_key(messages.text) as text_key', 'visible_length(messages.text) as visible_length',
        'coalesce(list_sum(list_transform(messages.emotes, lambda e: e."end" - e.start + 1)), 0) as emote_characters'
    ], pad=1) }}
),

hashed as (
    select
        * exclude (text_key, visible_length, emote_characters),
        hash(text_key) as text_hash,
        -- of words: a row of emotes is not a text somebody copied
        greatest(visible_length - emote_characters, 0)::bigint as character_count
    from messages
    where text_key <> '' and viewer_id is not null
),

near as (
    select
        *,
        min(viewer_hash) over around <> max(viewer_hash) over around as is_repetition
    from hashed
    window around as (
        partition by platform, channel_id, text_hash order by sent_at
        range between interval ({{ var('repetition_seconds') }}) second preceding
            and interval ({{ var('repetition_seconds') }}) second following
    )
)

select
    event_date,
    platform,
    message_id,
    channel_id,
    stream_id,
    sent_at,
    viewer_id,
    text_hash,
    character_count
from near
where is_repetition and {{ in_window() }}
