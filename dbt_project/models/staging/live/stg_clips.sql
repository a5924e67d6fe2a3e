with source as (
    {{ state_rows('clips', ['platform', 'clip_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        clip_id,
        observed_at,
        channel_id,
        stream_id,
        created_at,
        vod_offset_seconds,
        duration_seconds,
        title,
        view_count,
        creator_viewer_id,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    clip_id,
    observed_at,
    channel_id,
    stream_id,
    created_at,
    vod_offset_seconds,
    duration_seconds,
    title,
    view_count,
    creator_viewer_id,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
