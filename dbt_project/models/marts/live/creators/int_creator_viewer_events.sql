with accounts as (
    select * from {{ ref('int_viewer_accounts') }} where not is_bot
),

channels as (
    select platform, channel_id, creator_id from {{ ref('dim_channels') }}
),

events as (
    select
        channels.creator_id,
        events.platform,
        accounts.canonical_viewer_id as viewer_id,
        events.event_type,
        {{ is_donation() }} as is_donation,
        events.currency,
        events.amount,
        events.amount_usd,
        events.gift_count,
        events.month_count,
        events.raid_viewer_count
    from {{ with_usd(ref('int_stream_events_resolved'), 'occurred_at') }} as events
    inner join accounts on events.platform = accounts.platform and events.viewer_id = accounts.viewer_id
    inner join channels on events.platform = channels.platform and events.channel_id = channels.channel_id
    where {{ is_seen('events.event_date') }} and {{ is_audience_event() }}
),

currencies as (
    select
        creator_id,
        platform,
        viewer_id,
        upper(currency) as currency,
        count(*) as donation_count,
        sum(amount) as amount
    from events
    where is_donation and amount is not null and currency is not null
    group by all
),

donations as (
    select
        creator_id,
        platform,
        viewer_id,
        list(
            struct_pack(
                currency := currency, amount := amount::decimal(18, 4), donation_count := donation_count
            ) order by currency
        ) as donations
    from currencies
    group by creator_id, platform, viewer_id
),

totals as (
    select
        creator_id,
        platform,
        viewer_id,
        count(*) filter (event_type = 'follow') as follow_count,
        count(*) filter (event_type in ('subscription', 'resubscription')) as subscription_count,
        max(month_count) as subscribed_month_count,
        coalesce(sum(coalesce(gift_count, 1)) filter (event_type = 'gift'), 0)::bigint as gift_count,
        count(*) filter (is_donation) as donation_count,
        count(*) filter (is_donation and amount is not null and amount_usd is null) as donation_without_rate_count,
        coalesce(sum(amount_usd) filter (is_donation), 0)::decimal(18, 4) as donation_usd,
        count(*) filter (event_type = 'raid') as raid_count,
        coalesce(sum(raid_viewer_count) filter (event_type = 'raid'), 0)::bigint as raid_viewer_count
    from events
    group by creator_id, platform, viewer_id
)

select
    totals.creator_id,
    totals.platform,
    totals.viewer_id,
    totals.follow_count,
    totals.subscription_count,
    totals.subscribed_month_count,
    totals.gift_count,
    totals.donation_count,
    totals.donation_without_rate_count,
    totals.donation_usd,
    donations.donations,
    totals.raid_count,
    totals.raid_viewer_count
from totals
left join donations using (creator_id, platform, viewer_id)
