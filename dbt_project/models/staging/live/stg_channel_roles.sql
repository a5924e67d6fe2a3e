with source as (
    {{ state_rows('channel_roles', ['platform', 'channel_id', 'role', 'viewer_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        role,
        viewer_id,
        observed_at,
        viewer_login,
        viewer_display_name,
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
    role,
    viewer_id,
    observed_at,
    viewer_login,
    viewer_display_name,
    is_complete,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
