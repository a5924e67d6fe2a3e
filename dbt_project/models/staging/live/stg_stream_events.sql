with source as (
    {{ event_rows('stream_events', ['platform', 'event_id']) }}
),

renamed as (
    select
        event_date,
        platform,
        event_id,
        occurred_at,
        channel_id,
        stream_id,
        coalesce(viewer_id, 'login:' || lower(viewer_login)) as viewer_id,
        lower(coalesce(viewer_login, case when viewer_id like 'login:%' then substr(viewer_id, 7) end)) as viewer_login,
        event_type,
        tier,
        month_count,
        gift_count,
        gift_group_id,
        gift_recipient_id,
        raid_viewer_count,
        amount,
        currency,
        message_text,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    event_id,
    occurred_at,
    channel_id,
    stream_id,
    viewer_id,
    viewer_login,
    event_type,
    tier,
    month_count,
    gift_count,
    gift_group_id,
    gift_recipient_id,
    raid_viewer_count,
    amount,
    currency,
    message_text,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
