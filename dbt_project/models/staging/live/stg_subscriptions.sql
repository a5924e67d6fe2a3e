with source as (
    {{ state_rows('subscriptions', ['platform', 'channel_id', 'viewer_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        viewer_id,
        observed_at,
        viewer_login,
        viewer_display_name,
        tier,
        plan_name,
        is_gift,
        gifter_id,
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
    viewer_id,
    observed_at,
    viewer_login,
    viewer_display_name,
    tier,
    plan_name,
    is_gift,
    gifter_id,
    is_complete,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
