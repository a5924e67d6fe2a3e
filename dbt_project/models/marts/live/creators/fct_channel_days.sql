{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with covered as (
    -- how far the streams of the channel before this one reach: two at once are live once
    select
        platform,
        channel_id,
        started_at,
        ended_at,
        max(ended_at) over (
            partition by platform, channel_id order by started_at, stream_id
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from {{ ref('int_streams') }}
    where started_at is not null
),

live_days as (
    select
        *,
        unnest(
            range(started_at::date::timestamp, ended_at + interval 1 microsecond, interval 1 day)
        )::date as event_date
    from covered
),

live as (
    select
        event_date,
        platform,
        channel_id,
        count(*) as live_stream_count,
        count(*) filter (started_at::date = event_date) as started_stream_count,
        sum((greatest(
            0,
            epoch_us(least(ended_at, event_date + interval 1 day))
            - epoch_us(greatest(started_at, covered_until, event_date::timestamp))
        ) / 1000000)::decimal(18, 6))::double as live_seconds
    from live_days
    where {{ in_window() }}
    group by event_date, platform, channel_id
),

minutes as (
    select
        event_date,
        platform,
        channel_id,
        minute_at,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        max(observed_seconds) as observed_seconds,
        sum(peak_viewers)::bigint as viewer_count,
        sum(message_count)::bigint as message_count,
        sum(event_count)::bigint as event_count,
        sum(follow_count)::bigint as follow_count,
        sum(subscription_count)::bigint as subscription_count,
        sum(gift_count)::bigint as gift_count,
        sum(raid_count)::bigint as raid_count,
        sum(donation_count)::bigint as donation_count
    from {{ ref('fct_stream_minutes') }}
    where {{ in_window() }}
    group by event_date, platform, channel_id, minute_at
),

streamed as (
    select
        event_date,
        platform,
        channel_id,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        {{ sum_seconds('observed_seconds') }} as observed_seconds,
        max(viewer_count) as peak_viewers,
        sum(message_count)::bigint as stream_message_count,
        sum(event_count)::bigint as stream_event_count,
        sum(follow_count)::bigint as follow_count,
        sum(subscription_count)::bigint as subscription_count,
        sum(gift_count)::bigint as gift_count,
        sum(raid_count)::bigint as raid_count,
        sum(donation_count)::bigint as donation_count
    from minutes
    group by event_date, platform, channel_id
),

windows as (
    select
        event_date,
        platform,
        channel_id,
        sum(message_count)::bigint as message_count,
        sum(bot_message_count)::bigint as bot_message_count,
        sum(shared_message_count)::bigint as shared_message_count,
        sum(audience_message_count)::bigint as audience_message_count,
        sum(repeated_message_count)::bigint as repeated_message_count,
        coalesce(sum(message_count) filter (stream_id is null), 0)::bigint as outside_message_count
    from {{ ref('int_chat_windows') }}
    where {{ in_window() }}
    group by event_date, platform, channel_id
),

chatters as (
    select
        event_date,
        platform,
        channel_id,
        count(*) filter (message_count > 0) as chatter_count,
        count(*) as viewer_count
    from {{ ref('fct_viewer_days') }}
    where {{ in_window() }} and not is_bot
    group by event_date, platform, channel_id
),

moderation as (
    select
        event_date,
        platform,
        channel_id,
        count(*) filter (action_type <> 'unban') as moderation_action_count,
        count(*) filter (action_type = 'delete') as deletion_count,
        median(seconds_to_deletion) as median_seconds_to_deletion
    from {{ ref('fct_moderation') }}
    where {{ in_window() }}
    group by event_date, platform, channel_id
),

revenue as (
    select
        event_date,
        platform,
        channel_id,
        sum(amount_usd::decimal(18, 6))::double as revenue_usd,
        count(*) filter (amount_usd is null) as unrated_event_count
    from {{ ref('int_revenue_events') }}
    where {{ in_window() }} and not is_off_platform
    group by event_date, platform, channel_id
),

days as (
    select event_date, platform, channel_id from live
    union
    select event_date, platform, channel_id from streamed
    union
    select event_date, platform, channel_id from windows
    union
    select event_date, platform, channel_id from chatters
    union
    select event_date, platform, channel_id from moderation
    union
    select event_date, platform, channel_id from revenue
)

select
    days.event_date,
    days.platform,
    days.channel_id,
    coalesce(live.live_stream_count, 0) as live_stream_count,
    coalesce(live.started_stream_count, 0) as started_stream_count,
    coalesce(live.live_seconds, 0) as live_seconds,
    streamed.viewer_seconds,
    coalesce(streamed.observed_seconds, 0) as observed_seconds,
    streamed.viewer_seconds / nullif(streamed.observed_seconds, 0) as average_viewers,
    streamed.peak_viewers,
    streamed.viewer_seconds / 3600 as hours_watched,
    windows.message_count,
    windows.outside_message_count,
    windows.bot_message_count,
    windows.shared_message_count,
    windows.audience_message_count,
    windows.repeated_message_count,
    windows.repeated_message_count / nullif(windows.audience_message_count, 0) as repetition_ratio,
    streamed.stream_message_count,
    coalesce(chatters.chatter_count, 0) as chatter_count,
    coalesce(chatters.viewer_count, 0) as viewer_count,
    coalesce(streamed.stream_event_count, 0) as stream_event_count,
    coalesce(streamed.follow_count, 0) as follow_count,
    coalesce(streamed.subscription_count, 0) as subscription_count,
    coalesce(streamed.gift_count, 0) as gift_count,
    coalesce(streamed.raid_count, 0) as raid_count,
    coalesce(streamed.donation_count, 0) as donation_count,
    revenue.revenue_usd,
    coalesce(revenue.unrated_event_count, 0) as unrated_event_count,
    coalesce(moderation.moderation_action_count, 0) as moderation_action_count,
    coalesce(moderation.deletion_count, 0) as deletion_count,
    1000 * coalesce(moderation.moderation_action_count, 0) / nullif(windows.message_count, 0)
        as actions_per_1000_messages,
    moderation.median_seconds_to_deletion
from days
left join live using (event_date, platform, channel_id)
left join streamed using (event_date, platform, channel_id)
left join windows using (event_date, platform, channel_id)
left join chatters using (event_date, platform, channel_id)
left join moderation using (event_date, platform, channel_id)
left join revenue using (event_date, platform, channel_id)
