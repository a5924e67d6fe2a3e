with source as (
    {{ event_rows('viewer_counts', ['platform', 'channel_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        observed_at,
        stream_id,
        viewer_count,
        bitrate_kbps,
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
    viewer_count,
    bitrate_kbps,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
