with source as (
    {{ event_rows('chat_counts', ['platform', 'channel_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        observed_at,
        stream_id,
        message_count,
        emote_count,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    channel_id,
    observed_at,
    stream_id,
    message_count,
    emote_count,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
