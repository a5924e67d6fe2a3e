with source as (
    {{ event_rows('chatter_presence', ['platform', 'channel_id', 'viewer_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        viewer_id,
        observed_at,
        stream_id,
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
    viewer_id,
    observed_at,
    stream_id,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
