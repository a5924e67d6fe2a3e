with source as (
    {{ state_rows('channel_owners', ['creator_id', 'platform', 'channel_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        creator_id,
        platform,
        channel_id,
        observed_at,
        creator_name,
        time_zone,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    creator_id,
    platform,
    channel_id,
    observed_at,
    creator_name,
    time_zone,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
