with source as (
    {{ state_rows('streams', ['platform', 'stream_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        stream_id,
        observed_at,
        channel_id,
        source_broadcast_id,
        title,
        category_id,
        category_name,
        language,
        tags,
        started_at,
        started_date,
        ended_at,
        duration_seconds,
        vod_id,
        vod_view_count,
        is_rerun,
        coalesce(is_complete, true) as is_complete,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    stream_id,
    observed_at,
    channel_id,
    source_broadcast_id,
    title,
    category_id,
    category_name,
    language,
    tags,
    started_at,
    started_date,
    ended_at,
    duration_seconds,
    vod_id,
    vod_view_count,
    is_rerun,
    is_complete,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
