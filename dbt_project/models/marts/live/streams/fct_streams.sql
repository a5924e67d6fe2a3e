with summed as (
    select * from {{ ref('int_broadcasts_summed') }}
),

compared as (
    select * from {{ ref('int_broadcasts_compared') }}
),

retained as (
    select * from {{ ref('int_broadcasts_retained') }}
),

peaked as (
    select * from {{ ref('int_broadcasts_peaked') }}
),

earned as (
    select * from {{ ref('int_broadcasts_earned') }}
),

scored as (
    select * from {{ ref('int_broadcasts_scored') }}
)

select
    summed.broadcast_id,
    summed.creator_id,
    summed.title,
    summed.category_id,
    summed.category_name,
    summed.language,
    summed.is_rerun,
    summed.started_at,
    summed.started_date,
    summed.ended_at,
    summed.live_seconds,
    summed.live_hours,
    summed.platform_count,
    summed.viewer_seconds,
    summed.observed_seconds,
    summed.observed_ratio,
    summed.average_viewers,
    summed.peak_viewers,
    summed.peak_minute_at,
    summed.hours_watched,
    compared.previous_broadcast_id,
    compared.previous_average_viewers,
    compared.viewer_growth_percent,
    compared.comparable_broadcast_id,
    compared.comparable_average_viewers,
    compared.comparable_growth_percent,
    retained.average_to_peak_ratio,
    retained.first_15_viewers,
    retained.last_15_viewers,
    retained.last_to_first_ratio,
    retained.end_viewers,
    retained.end_to_peak_ratio,
    retained.polled_viewer_count,
    retained.stayed_viewer_count,
    retained.stay10_ratio,
    summed.sample_count,
    summed.message_count,
    summed.bot_message_count,
    summed.unique_chatter_count,
    summed.unique_viewer_count,
    summed.emote_count,
    summed.event_count,
    summed.follow_count,
    summed.subscription_count,
    summed.gift_count,
    summed.raid_count,
    summed.donation_count,
    coalesce(earned.off_platform_donation_count, 0) as off_platform_donation_count,
    earned.revenue,
    earned.revenue_usd,
    coalesce(earned.unrated_event_count, 0) as unrated_event_count,
    peaked.peak_engagement_times,
    scored.messages_per_viewer_hour,
    scored.messages_per_viewer_hour_rank_ratio,
    scored.chatters_per_viewer,
    scored.chatters_per_viewer_rank_ratio,
    scored.events_per_100_viewer_hours,
    scored.events_per_100_viewer_hours_rank_ratio,
    scored.average_to_peak_rank_ratio,
    scored.history_stream_count,
    scored.has_own_history,
    scored.observed_weight,
    scored.engagement_score,
    scored.legacy_engagement_score,
    summed.observability,
    summed.chat_observability,
    summed.chat_coverage_ratio
from summed
left join compared on summed.broadcast_id = compared.broadcast_id
left join retained on summed.broadcast_id = retained.broadcast_id
left join peaked on summed.broadcast_id = peaked.broadcast_id
left join earned on summed.broadcast_id = earned.broadcast_id
left join scored on summed.broadcast_id = scored.broadcast_id
