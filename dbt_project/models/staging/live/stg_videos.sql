with source as (
    {{ state_rows('videos', ['platform', 'video_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        video_id,
        observed_at,
        channel_id,
        stream_id,
        title,
        video_type,
        category_id,
        category_name,
        language,
        published_at,
        published_date,
        duration_seconds,
        view_count,
        like_count,
        comment_count,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    video_id,
    observed_at,
    channel_id,
    stream_id,
    title,
    video_type,
    category_id,
    category_name,
    language,
    published_at,
    published_date,
    duration_seconds,
    view_count,
    like_count,
    comment_count,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
