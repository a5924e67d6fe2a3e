with source as (
    {{ state_rows('channels', ['platform', 'channel_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        observed_at,
        lower(login) as login,
        display_name,
        created_at,
        language,
        follower_count,
        subscriber_count,
        total_view_count,
        broadcaster_type,
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
    login,
    display_name,
    created_at,
    language,
    follower_count,
    subscriber_count,
    total_view_count,
    broadcaster_type,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
