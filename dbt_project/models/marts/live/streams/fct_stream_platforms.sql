with broadcasts as (
    select * from {{ ref('int_broadcasts') }}
),

viewer_ids as (
    select * from {{ ref('int_viewer_ids') }}
),

streams as (
    select
        broadcasts.broadcast_id,
        broadcasts.platform,
        any_value(broadcasts.creator_id) as creator_id,
        arg_min(int_streams.channel_id, (int_streams.started_at, int_streams.stream_id)) as channel_id,
        count(*) as stream_count,
        min(int_streams.started_at) as started_at,
        min(int_streams.started_date) as started_date,
        max(int_streams.ended_at) as ended_at,
        sum(broadcasts.platform_live_seconds::decimal(18, 6))::double as live_seconds
    from broadcasts
    inner join {{ ref('int_streams') }} as int_streams
        on broadcasts.platform = int_streams.platform and broadcasts.stream_id = int_streams.stream_id
    group by broadcasts.broadcast_id, broadcasts.platform
),

minutes as (
    -- several streams of a broadcast on one platform: viewers add up, observed time does not
    select
        broadcasts.broadcast_id,
        broadcasts.platform,
        minutes.minute_at,
        {{ sum_seconds('minutes.viewer_seconds') }} as viewer_seconds,
        max(minutes.observed_seconds) as observed_seconds,
        sum(minutes.peak_viewers)::bigint as viewer_count,
        sum(minutes.sample_count)::bigint as sample_count,
        sum(minutes.message_count)::bigint as message_count,
        sum(minutes.bot_message_count)::bigint as bot_message_count,
        sum(minutes.emote_count)::bigint as emote_count,
        sum(minutes.event_count)::bigint as event_count,
        sum(minutes.follow_count)::bigint as follow_count,
        sum(minutes.subscription_count)::bigint as subscription_count,
        sum(minutes.gift_count)::bigint as gift_count,
        sum(minutes.raid_count)::bigint as raid_count,
        sum(minutes.donation_count)::bigint as donation_count,
        min(minutes.chat_observability) as chat_observability
    from {{ ref('fct_stream_minutes') }} as minutes
    inner join broadcasts
        on minutes.platform = broadcasts.platform and minutes.stream_id = broadcasts.stream_id
    where {{ is_seen('minutes.event_date') }}
    group by broadcasts.broadcast_id, broadcasts.platform, minutes.minute_at
),

totals as (
    select
        broadcast_id,
        platform,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        {{ sum_seconds('observed_seconds') }} as observed_seconds,
        max(viewer_count) as peak_viewers,
        sum(sample_count)::bigint as sample_count,
        sum(message_count)::bigint as message_count,
        sum(bot_message_count)::bigint as bot_message_count,
        sum(emote_count)::bigint as emote_count,
        sum(event_count)::bigint as event_count,
        sum(follow_count)::bigint as follow_count,
        sum(subscription_count)::bigint as subscription_count,
        sum(gift_count)::bigint as gift_count,
        sum(raid_count)::bigint as raid_count,
        sum(donation_count)::bigint as donation_count,
        min(chat_observability) as chat_observability
    from minutes
    group by broadcast_id, platform
),

covered as (
    select
        broadcasts.broadcast_id,
        broadcasts.platform,
        sum(
            (
                epoch_us(least(coverage.covered_to, int_streams.ended_at))
                - epoch_us(greatest(coverage.covered_from, int_streams.started_at))
            )::decimal(38, 6) / 1000000
        )::double as chat_covered_seconds
    from {{ ref('int_chat_coverage') }} as coverage
    inner join broadcasts
        on coverage.platform = broadcasts.platform and coverage.stream_id = broadcasts.stream_id
    inner join {{ ref('int_streams') }} as int_streams
        on coverage.platform = int_streams.platform
        and coverage.stream_id = int_streams.stream_id
        and coverage.covered_from < int_streams.ended_at
        and coverage.covered_to > int_streams.started_at
    where {{ is_seen('coverage.event_date') }}
    group by broadcasts.broadcast_id, broadcasts.platform
),

bots as (
    select platform, viewer_id from {{ ref('int_viewers_latest') }} where is_bot
    union
    select platform, viewer_id from {{ ref('fct_viewer_days') }} where is_bot and {{ is_seen() }}
),

viewers as (
    select
        broadcasts.broadcast_id,
        broadcasts.platform,
        count(distinct coalesce(viewer_ids.viewer_id, viewer_days.viewer_id))
            filter (viewer_days.message_count > 0) as unique_chatter_count,
        count(distinct coalesce(viewer_ids.viewer_id, viewer_days.viewer_id)) as unique_viewer_count
    from {{ ref('fct_stream_viewer_days') }} as viewer_days
    inner join broadcasts
        on viewer_days.platform = broadcasts.platform and viewer_days.stream_id = broadcasts.stream_id
    left join viewer_ids
        on viewer_days.platform = viewer_ids.platform and viewer_days.viewer_id = viewer_ids.stand_in_id
    anti join bots
        on viewer_days.platform = bots.platform and viewer_days.viewer_id = bots.viewer_id
    where {{ is_seen('viewer_days.event_date') }}
    group by broadcasts.broadcast_id, broadcasts.platform
),

final as (
    select
        streams.broadcast_id,
        streams.platform,
        streams.creator_id,
        streams.channel_id,
        streams.stream_count,
        streams.started_at,
        streams.started_date,
        streams.ended_at,
        streams.live_seconds,
        totals.viewer_seconds,
        coalesce(totals.observed_seconds, 0) as observed_seconds,
        -- not bare least(): it skips nulls, and a stream of unknown length was not observed whole
        case
            when streams.live_seconds > 0 then least(1, coalesce(totals.observed_seconds, 0) / streams.live_seconds)
        end as observed_ratio,
        totals.viewer_seconds / nullif(totals.observed_seconds, 0) as average_viewers,
        totals.peak_viewers,
        totals.viewer_seconds / 3600 as hours_watched,
        coalesce(totals.sample_count, 0) as sample_count,
        totals.message_count,
        totals.bot_message_count,
        case when totals.chat_observability = 'measured' then coalesce(viewers.unique_chatter_count, 0) end
            as unique_chatter_count,
        coalesce(viewers.unique_viewer_count, 0) as unique_viewer_count,
        totals.emote_count,
        coalesce(totals.event_count, 0) as event_count,
        coalesce(totals.follow_count, 0) as follow_count,
        coalesce(totals.subscription_count, 0) as subscription_count,
        coalesce(totals.gift_count, 0) as gift_count,
        coalesce(totals.raid_count, 0) as raid_count,
        coalesce(totals.donation_count, 0) as donation_count,
        case
            when totals.sample_count > 0 then 'measured'
            when totals.broadcast_id is not null then 'chat_inferred'
            else 'platform_reported'
        end as observability,
        totals.chat_observability,
        -- several streams at once on one platform cover its time once
        case
            when streams.live_seconds > 0 then least(streams.live_seconds, coalesce(covered.chat_covered_seconds, 0))
        end as chat_covered_seconds
    from streams
    left join totals on streams.broadcast_id = totals.broadcast_id and streams.platform = totals.platform
    left join covered on streams.broadcast_id = covered.broadcast_id and streams.platform = covered.platform
    left join viewers on streams.broadcast_id = viewers.broadcast_id and streams.platform = viewers.platform
)

select
    broadcast_id,
    platform,
    creator_id,
    channel_id,
    stream_count,
    started_at,
    started_date,
    ended_at,
    live_seconds,
    viewer_seconds,
    observed_seconds,
    observed_ratio,
    average_viewers,
    peak_viewers,
    hours_watched,
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
    chat_covered_seconds,
    chat_covered_seconds / live_seconds as chat_coverage_ratio
from final
