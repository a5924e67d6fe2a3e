with source as (
    {{ state_rows('scheduled_streams', ['platform', 'channel_id', 'segment_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        segment_id,
        observed_at,
        starts_at,
        ends_at,
        title,
        category_name,
        is_cancelled,
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
    segment_id,
    observed_at,
    starts_at,
    ends_at,
    title,
    category_name,
    is_cancelled,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
