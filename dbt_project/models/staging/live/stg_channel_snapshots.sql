with source as (
    {{ event_rows('channel_snapshots', ['platform', 'channel_id', 'list_name', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        list_name,
        observed_at,
        ended_at,
        row_count,
        total_count,
        is_complete,
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
    list_name,
    observed_at,
    ended_at,
    row_count,
    total_count,
    is_complete,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
