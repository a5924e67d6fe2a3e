with channels as (
    select platform, channel_id, creator_id from {{ ref('dim_channels') }}
),

bots as (
    select * from {{ ref('int_bot_accounts') }}
),

minutes as (
    -- whether a sample of the last minutes of a day holds until midnight is said by the next day
    select
        event_date,
        platform,
        channel_id,
        count(distinct minute_at) filter (is_decided or sample_count + coalesce(message_count, 0) + event_count > 0)
            as on_air_minute_count,
        sum(viewer_seconds::decimal(18, 6)) filter (is_decided) as viewer_seconds,
        sum(observed_seconds::decimal(18, 6)) filter (is_decided) as observed_seconds,
        max(peak_viewers) as peak_viewers,
        sum(message_count)::bigint as message_count
    from (
        select
            *,
            minute_at < event_date + interval 1 day - interval ({{ var('max_gap_seconds') }}) second as is_decided
        from {{ ref('fct_stream_minutes') }}
        where {{ is_seen() }}
    )
    group by event_date, platform, channel_id
),

streams as (
    select platform, channel_id, first_on_air_date as event_date, count(*) as stream_start_count
    from {{ ref('int_channel_streams') }}
    group by all
),

viewer_days as (
    select
        days.event_date,
        days.platform,
        days.channel_id,
        days.viewer_id,
        days.message_count,
        lag(days.event_date) over viewer as previous_date,
        lead(days.event_date) over viewer as next_date
    from {{ ref('fct_viewer_days') }} as days
    left join bots on days.platform = bots.platform and days.viewer_id = bots.viewer_id
    where {{ is_seen('days.event_date') }} and (bots.known_date is null or days.event_date < bots.known_date)
    window viewer as (partition by days.platform, days.channel_id, days.viewer_id order by days.event_date)
),

viewers as (
    select
        event_date,
        platform,
        channel_id,
        count(*) as active_viewer_count,
        count(*) filter (message_count > 0) as chatter_count,
        count(*) filter (previous_date is null) as new_viewer_count
    from viewer_days
    group by event_date, platform, channel_id
),

events as (
    select
        event_date,
        platform,
        channel_id,
        count(*) filter (event_type = 'follow') as follow_count,
        count(*) filter (event_type in ('subscription', 'resubscription')) as subscription_count,
        coalesce(sum(coalesce(gift_count, 1)) filter (event_type = 'gift'), 0)::bigint as gift_count,
        count(*) filter (event_type = 'raid') as raid_count,
        count(*) filter ({{ is_donation() }}) as donation_count,
        count(*) filter ({{ is_donation() }} and amount is not null and amount_usd is null)
            as donation_without_rate_count,
        coalesce(sum(amount_usd) filter ({{ is_donation() }}), 0) as donation_usd
    from {{ with_usd(ref('int_stream_events_resolved'), 'occurred_at') }}
    where {{ is_seen() }} and {{ is_audience_event() }}
    group by event_date, platform, channel_id
),

days as (
    select event_date, platform, channel_id from minutes
    union
    select event_date, platform, channel_id from viewers
    union
    select event_date, platform, channel_id from events
),

as_of as (
    -- every day since the channel was first seen
    select
        channels.creator_id,
        channels.platform,
        channels.channel_id,
        dates.date_day as as_of_date,
        dates.date_day + interval 1 day as cut_off_at
    from (select platform, channel_id, min(event_date) as first_date from days group by all) as seen
    inner join channels on seen.platform = channels.platform and seen.channel_id = channels.channel_id
    inner join {{ ref('dim_dates') }} as dates on dates.date_day >= seen.first_date and {{ is_seen('dates.date_day') }}
),

snapshots as (
    select
        coalesce(stand_ins.channel_id, snapshots.channel_id) as channel_id,
        snapshots.platform,
        snapshots.observed_at,
        max(snapshots.follower_count) as follower_count,
        max(snapshots.subscriber_count) as subscriber_count
    from {{ ref('stg_channels') }} as snapshots
    left join {{ ref('int_channel_stand_ins') }} as stand_ins
        on snapshots.platform = stand_ins.platform and snapshots.channel_id = stand_ins.stand_in_id
    group by 1, 2, 3
),

followers as (
    select * from snapshots where follower_count is not null
),

subscribers as (
    select * from snapshots where subscriber_count is not null
),

-- a viewer counts from an active day until the window has passed or the next active day takes over
{% for days in [7, 28] %}
changes_{{ days }}d as (
    select platform, channel_id, event_date as change_date, 1 as change from viewer_days
    union all
    select platform, channel_id, least(event_date + {{ days }}, coalesce(next_date, event_date + {{ days }})), -1
    from viewer_days
),

active_{{ days }}d as (
    select
        platform,
        channel_id,
        change_date,
        sum(sum(change)) over (partition by platform, channel_id order by change_date)::bigint as viewer_count
    from changes_{{ days }}d
    group by platform, channel_id, change_date
),
{% endfor %}
daily as (
    select
        as_of.creator_id,
        as_of.platform,
        as_of.channel_id,
        as_of.as_of_date,
        as_of.cut_off_at,
        minutes.platform is not null as is_on_air,
        coalesce(streams.stream_start_count, 0) as stream_start_count,
        coalesce(minutes.on_air_minute_count, 0) as on_air_minute_count,
        minutes.viewer_seconds,
        coalesce(minutes.observed_seconds, 0) as observed_seconds,
        minutes.peak_viewers,
        minutes.message_count,
        coalesce(viewers.active_viewer_count, 0) as active_viewer_count,
        coalesce(viewers.chatter_count, 0) as chatter_count,
        coalesce(viewers.new_viewer_count, 0) as new_viewer_count,
        coalesce(events.follow_count, 0) as follow_count,
        coalesce(events.subscription_count, 0) as subscription_count,
        coalesce(events.gift_count, 0) as gift_count,
        coalesce(events.raid_count, 0) as raid_count,
        coalesce(events.donation_count, 0) as donation_count,
        coalesce(events.donation_without_rate_count, 0) as donation_without_rate_count,
        coalesce(events.donation_usd, 0) as donation_usd
    from as_of
    left join minutes
        on as_of.platform = minutes.platform
        and as_of.channel_id = minutes.channel_id
        and as_of.as_of_date = minutes.event_date
    left join streams
        on as_of.platform = streams.platform
        and as_of.channel_id = streams.channel_id
        and as_of.as_of_date = streams.event_date
    left join viewers
        on as_of.platform = viewers.platform
        and as_of.channel_id = viewers.channel_id
        and as_of.as_of_date = viewers.event_date
    left join events
        on as_of.platform = events.platform
        and as_of.channel_id = events.channel_id
        and as_of.as_of_date = events.event_date
),

final as (
    select
        daily.*,
        {%- for days in [7, 28] %}
        coalesce(active_{{ days }}d.viewer_count, 0) as active_viewer_count_{{ days }}d,
        sum(daily.stream_start_count) over last_{{ days }}d::bigint as stream_start_count_{{ days }}d,
        count(*) filter (daily.is_on_air) over last_{{ days }}d as on_air_day_count_{{ days }}d,
        sum(daily.message_count) over last_{{ days }}d::bigint as message_count_{{ days }}d,
        sum(daily.follow_count) over last_{{ days }}d::bigint as follow_count_{{ days }}d,
        sum(daily.donation_usd) over last_{{ days }}d as donation_usd_{{ days }}d,
        sum(daily.viewer_seconds) over last_{{ days }}d as viewer_seconds_{{ days }}d,
        sum(daily.observed_seconds) over last_{{ days }}d as observed_seconds_{{ days }}d,
        {%- endfor %}
        max(daily.as_of_date) filter (daily.is_on_air) over (
            partition by daily.platform, daily.channel_id order by daily.as_of_date
        ) as last_on_air_date,
        followers.follower_count,
        followers.observed_at as followers_observed_at,
        subscribers.subscriber_count,
        subscribers.observed_at as subscribers_observed_at
    from daily
    {%- for days in [7, 28] %}
    asof left join active_{{ days }}d
        on daily.platform = active_{{ days }}d.platform
        and daily.channel_id = active_{{ days }}d.channel_id
        and daily.as_of_date >= active_{{ days }}d.change_date
    {%- endfor %}
    left join {{ latest_before_as_of(
        'followers', 'observed_at', ['platform', 'channel_id'], on=['platform', 'channel_id']
    ) }} as followers
        on daily.platform = followers.platform
        and daily.channel_id = followers.channel_id
        and daily.as_of_date = followers.as_of_date
    left join {{ latest_before_as_of(
        'subscribers', 'observed_at', ['platform', 'channel_id'], on=['platform', 'channel_id']
    ) }} as subscribers
        on daily.platform = subscribers.platform
        and daily.channel_id = subscribers.channel_id
        and daily.as_of_date = subscribers.as_of_date
    window
        {%- for days in [7, 28] %}
        last_{{ days }}d as (
            partition by daily.platform, daily.channel_id order by daily.as_of_date
            rows between {{ days - 1 }} preceding and current row
        ){{ "," if not loop.last }}
        {%- endfor %}
)

select
    as_of_date,
    creator_id,
    platform,
    channel_id,
    isodow(as_of_date) as iso_day_of_week,
    is_on_air,
    as_of_date - last_on_air_date as days_since_on_air,
    stream_start_count,
    on_air_minute_count,
    viewer_seconds::double as viewer_seconds,
    observed_seconds::double as observed_seconds,
    viewer_seconds::double / nullif(observed_seconds::double, 0) as average_viewers,
    peak_viewers,
    message_count,
    active_viewer_count,
    chatter_count,
    new_viewer_count,
    follow_count,
    subscription_count,
    gift_count,
    raid_count,
    donation_count,
    donation_without_rate_count,
    donation_usd::double as donation_usd,
    {%- for days in [7, 28] %}
    stream_start_count_{{ days }}d,
    on_air_day_count_{{ days }}d,
    active_viewer_count_{{ days }}d,
    message_count_{{ days }}d,
    follow_count_{{ days }}d,
    donation_usd_{{ days }}d::double as donation_usd_{{ days }}d,
    viewer_seconds_{{ days }}d::double / nullif(observed_seconds_{{ days }}d::double, 0) as average_viewers_{{ days }}d,
    {%- endfor %}
    follower_count,
    followers_observed_at,
    subscriber_count,
    subscribers_observed_at
from final
