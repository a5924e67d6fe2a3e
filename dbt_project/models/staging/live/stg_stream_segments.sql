with source as (
    {{ state_rows('stream_segments', ['platform', 'stream_id', 'segment_started_at', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        stream_id,
        segment_started_at,
        observed_at,
        segment_ended_at,
        category_id,
        category_name,
        title,
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
    segment_started_at,
    observed_at,
    segment_ended_at,
    category_id,
    category_name,
    title,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
