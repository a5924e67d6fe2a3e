with source as (
    {{ state_rows('channel_daily_metrics', ['platform', 'channel_id', 'metric_date', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        channel_id,
        metric_date,
        observed_at,
        average_viewers,
        max_viewers,
        minutes_streamed,
        unique_viewers,
        minutes_watched,
        follow_count,
        chat_message_count,
        currency,
        subscription_revenue,
        prime_revenue,
        gifted_subscription_revenue,
        bits_revenue,
        ad_revenue,
        other_revenue,
        total_revenue,
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
    metric_date,
    observed_at,
    average_viewers,
    max_viewers,
    minutes_streamed,
    unique_viewers,
    minutes_watched,
    follow_count,
    chat_message_count,
    currency,
    subscription_revenue,
    prime_revenue,
    gifted_subscription_revenue,
    bits_revenue,
    ad_revenue,
    other_revenue,
    total_revenue,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
