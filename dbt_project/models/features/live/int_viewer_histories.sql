with channels as (
    select platform, channel_id, creator_id from {{ ref('dim_channels') }}
),

viewer_days as (
    {{ creator_viewer_days() }}
),

attended as (
    {{ attended_streams() }}
),

support as (
    select
        channels.creator_id,
        events.platform,
        events.viewer_id,
        events.event_date,
        max(events.month_count) as subscribed_month_count,
        max(events.occurred_at) filter (events.event_type in ('subscription', 'resubscription')) as subscribed_at,
        coalesce(sum(coalesce(events.gift_count, 1)) filter (events.event_type = 'gift'), 0)::bigint as gift_count,
        count(*) filter (events.is_donation) as donation_count,
        sum(events.amount_usd) filter (events.is_donation) as donation_usd
    from (
        select *, {{ is_donation() }} as is_donation
        from {{ with_usd(ref('int_stream_events_resolved'), 'occurred_at') }}
        where {{ is_seen() }} and viewer_id is not null
            and (event_type in ('subscription', 'resubscription', 'gift') or {{ is_donation() }})
    ) as events
    inner join channels on events.platform = channels.platform and events.channel_id = channels.channel_id
    group by all
),

gaps as (
    select
        *,
        event_date - lag(event_date) over viewer as gap_days,
        lead(event_date) over viewer as next_event_date
    from viewer_days
    window viewer as (partition by creator_id, platform, viewer_id order by event_date)
),

first_attended as (
    select creator_id, platform, viewer_id, event_date, count(*) as stream_count
    from attended
    group by all
),

final as (
    select
        gaps.event_date,
        gaps.creator_id,
        gaps.platform,
        gaps.viewer_id,
        gaps.next_event_date,
        min(gaps.first_activity_at) over history as first_activity_at,
        max(gaps.last_activity_at) over history as last_activity_at,
        count(*) over history as active_day_count,
        (sum(gaps.message_count) over history)::bigint as message_count,
        (sum(gaps.event_count) over history)::bigint as event_count,
        (sum(coalesce(first_attended.stream_count, 0)) over history)::bigint as attended_stream_count,
        count(gaps.gap_days) over history as gap_count,
        coalesce(sum(gaps.gap_days) over history, 0)::bigint as gap_day_sum,
        coalesce(sum(gaps.gap_days * gaps.gap_days) over history, 0)::bigint as gap_day_square_sum,
        max(support.subscribed_month_count) over history as subscribed_month_count,
        max(support.subscribed_at) over history as subscribed_at,
        (sum(coalesce(support.gift_count, 0)) over history)::bigint as gift_count,
        (sum(coalesce(support.donation_count, 0)) over history)::bigint as donation_count,
        (sum(coalesce(support.donation_usd, 0)) over history)::decimal(18, 4) as donation_usd
    from gaps
    left join first_attended using (creator_id, platform, viewer_id, event_date)
    left join support using (creator_id, platform, viewer_id, event_date)
    window history as (
        partition by gaps.creator_id, gaps.platform, gaps.viewer_id order by gaps.event_date
        rows between unbounded preceding and current row
    )
)

select
    event_date,
    creator_id,
    platform,
    viewer_id,
    next_event_date,
    first_activity_at,
    last_activity_at,
    active_day_count,
    message_count,
    event_count,
    attended_stream_count,
    gap_count,
    gap_day_sum,
    gap_day_square_sum,
    subscribed_month_count,
    subscribed_at,
    gift_count,
    donation_count,
    donation_usd
from final
