with source as (
    {{ state_rows('viewers', ['platform', 'viewer_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        viewer_id,
        observed_at,
        lower(login) as login,
        display_name,
        created_at,
        is_bot,
        is_moderator,
        is_patron,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    viewer_id,
    observed_at,
    login,
    display_name,
    created_at,
    is_bot,
    is_moderator,
    is_patron,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
