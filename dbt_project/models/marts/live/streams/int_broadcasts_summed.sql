with broadcasts as (
    select * from {{ ref('int_broadcasts') }}
),

platforms as (
    select * from {{ ref('fct_stream_platforms') }}
),

streams as (
    select
        broadcasts.broadcast_id,
        any_value(broadcasts.creator_id) as creator_id,
        arg_min(int_streams.title, said_first) as title,
        arg_min(int_streams.category_id, said_first) as category_id,
        arg_min(int_streams.category_name, said_first) as category_name,
        arg_min(int_streams.language, said_first) as language,
        bool_or(int_streams.is_rerun) as is_rerun,
        min(int_streams.started_at) as started_at,
        min(int_streams.started_date) as started_date,
        max(int_streams.ended_at) as ended_at,
        sum(broadcasts.live_seconds::decimal(18, 6))::double as live_seconds
    from broadcasts
    inner join (
        select *, (started_at, platform, stream_id) as said_first from {{ ref('int_streams') }}
    ) as int_streams
        on broadcasts.platform = int_streams.platform and broadcasts.stream_id = int_streams.stream_id
    group by broadcasts.broadcast_id
),

observed as (
    select
        broadcast_id,
        {{ sum_seconds('observed_seconds') }} as observed_seconds,
        sum(rated_message_count)::bigint as rated_message_count,
        {{ sum_seconds('chat_viewer_seconds') }} as chat_viewer_seconds,
        max(viewer_count) as peak_viewers,
        -- the first of equal peaks
        arg_max(minute_at, (viewer_count, -epoch_us(minute_at))) filter (viewer_count is not null) as peak_minute_at
    from {{ ref('int_broadcast_minutes') }}
    group by broadcast_id
),

totals as (
    select
        broadcast_id,
        count(*) as platform_count,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        sum(sample_count)::bigint as sample_count,
        sum(message_count)::bigint as message_count,
        sum(bot_message_count)::bigint as bot_message_count,
        -- a viewer is unique per platform only, so platforms add up
        sum(unique_chatter_count)::bigint as unique_chatter_count,
        sum(unique_viewer_count)::bigint as unique_viewer_count,
        sum(emote_count)::bigint as emote_count,
        sum(event_count)::bigint as event_count,
        sum(follow_count)::bigint as follow_count,
        sum(subscription_count)::bigint as subscription_count,
        sum(gift_count)::bigint as gift_count,
        sum(raid_count)::bigint as raid_count,
        sum(donation_count)::bigint as donation_count,
        case
            when bool_or(observability = 'measured') then 'measured'
            when bool_or(observability = 'chat_inferred') then 'chat_inferred'
            else 'platform_reported'
        end as observability,
        min(chat_observability) as chat_observability,
        {{ sum_seconds('chat_covered_seconds') }} / nullif({{ sum_seconds('live_seconds') }}, 0) as chat_coverage_ratio
    from platforms
    group by broadcast_id
),

final as (
    select
        streams.*,
        totals.* exclude (broadcast_id),
        observed.peak_viewers,
        observed.peak_minute_at,
        observed.rated_message_count,
        observed.chat_viewer_seconds,
        coalesce(observed.observed_seconds, 0) as observed_seconds
    from streams
    inner join totals on streams.broadcast_id = totals.broadcast_id
    left join observed on streams.broadcast_id = observed.broadcast_id
)

select
    broadcast_id,
    creator_id,
    title,
    category_id,
    category_name,
    language,
    is_rerun,
    started_at,
    started_date,
    ended_at,
    live_seconds,
    live_seconds / 3600 as live_hours,
    platform_count,
    viewer_seconds,
    observed_seconds,
    -- not bare least(): it skips nulls, and a stream of unknown length was not observed whole
    case when live_seconds > 0 then least(1, observed_seconds / live_seconds) end as observed_ratio,
    viewer_seconds / nullif(observed_seconds, 0) as average_viewers,
    peak_viewers,
    peak_minute_at,
    viewer_seconds / 3600 as hours_watched,
    sample_count,
    message_count,
    bot_message_count,
    unique_chatter_count,
    unique_viewer_count,
    emote_count,
    event_count,
    follow_count,
    subscription_count,
    gift_count,
    raid_count,
    donation_count,
    observability,
    chat_observability,
    chat_coverage_ratio,
    rated_message_count,
    chat_viewer_seconds / 3600 as chat_viewer_hours
from final
