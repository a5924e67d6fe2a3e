with source as (
    {{ event_rows('moderation_actions', ['platform', 'action_id']) }}
),

renamed as (
    select
        event_date,
        platform,
        action_id,
        occurred_at,
        channel_id,
        stream_id,
        target_viewer_id,
        target_message_id,
        action_type,
        duration_seconds,
        reason,
        moderator_id,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    action_id,
    occurred_at,
    channel_id,
    stream_id,
    target_viewer_id,
    target_message_id,
    action_type,
    duration_seconds,
    reason,
    moderator_id,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
