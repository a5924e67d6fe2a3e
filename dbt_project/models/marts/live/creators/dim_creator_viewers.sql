with clock as (
    select max(date_day) as as_of_date from {{ ref('dim_dates') }} where {{ is_seen('date_day') }}
),

names as (
    select * from {{ ref('dim_viewers') }}
),

viewers as (
    select
        days.creator_id,
        days.platform,
        days.viewer_id,
        any_value(clock.as_of_date) as as_of_date,
        min(days.first_activity_at) as first_activity_at,
        max(days.last_activity_at) as last_activity_at,
        max(days.event_date) as last_date,
        count(*) as active_day_count,
        count(distinct date_trunc('month', days.event_date)) as active_month_count,
        count(distinct date_trunc('month', days.event_date)) filter (
            date_trunc('month', days.event_date) > date_trunc('month', clock.as_of_date) - interval 12 month
        ) as active_month_count_12m,
        sum(days.message_count)::bigint as message_count,
        sum(days.event_count)::bigint as event_count,
        sum(days.presence_poll_count)::bigint as presence_poll_count
    from {{ ref('int_creator_viewer_days') }} as days
    cross join clock
    group by days.creator_id, days.platform, days.viewer_id
),

attended as (
    select
        creator_id,
        platform,
        viewer_id,
        count(*) as attended_stream_count,
        min(first_on_air_at)::date as first_offered_date
    from {{ ref('int_creator_viewer_streams') }}
    group by creator_id, platform, viewer_id
),

events as (
    select * from {{ ref('int_creator_viewer_events') }}
),

hours as (
    select
        creator_id,
        platform,
        viewer_id,
        list(hour_of_day order by session_count desc, hour_of_day)[1:3] as preferred_hours
    from {{ ref('int_creator_viewer_hours') }}
    group by creator_id, platform, viewer_id
    having max(session_count) >= {{ var('preferred_hours_min_sessions') }}
),

air as (
    select
        creator_id,
        platform,
        event_date,
        count(*) filter (stream_start_count > 0) over up_to as air_day_count,
        sum(stream_start_count) over up_to as stream_count,
        count(*) filter (stream_start_count > 0) over everything as all_air_day_count,
        sum(stream_start_count) over everything as all_stream_count
    from {{ ref('int_air_days') }}
    window
        up_to as (partition by creator_id, platform order by event_date),
        everything as (partition by creator_id, platform)
),

on_air as (
    -- distinct: a channel has many days on air
    select distinct creator_id, platform, all_air_day_count, all_stream_count from air
),

joined as (
    select
        viewers.*,
        coalesce(attended.attended_stream_count, 0) as attended_stream_count,
        -- streams since the first one attended; before that the viewer was not there to miss any
        (on_air.all_stream_count - coalesce(before_first.stream_count, 0))::bigint as offered_stream_count,
        coalesce(on_air.all_air_day_count - coalesce(until_last.air_day_count, 0), 0) as silent_air_days,
        coalesce(on_air.all_stream_count - coalesce(until_last.stream_count, 0), 0)::bigint as streams_missed
    from viewers
    left join attended using (creator_id, platform, viewer_id)
    left join on_air using (creator_id, platform)
    asof left join air as until_last
        on viewers.creator_id = until_last.creator_id
        and viewers.platform = until_last.platform
        and viewers.last_date >= until_last.event_date
    asof left join air as before_first
        on viewers.creator_id = before_first.creator_id
        and viewers.platform = before_first.platform
        and coalesce(attended.first_offered_date, viewers.first_activity_at::date) > before_first.event_date
),

measured as (
    select
        joined.*,
        (epoch_us(as_of_date + interval 1 day) - epoch_us(first_activity_at)) / 86400000000 as tenure_days,
        as_of_date - last_date as silent_days,
        attended_stream_count / nullif(offered_stream_count, 0) as attendance_ratio,
        message_count / nullif(attended_stream_count, 0) as messages_per_stream
    from joined
),

ranked as (
    select
        *,
        percent_rank() over (partition by creator_id, platform order by coalesce(attendance_ratio, 0))
            as attendance_rank,
        percent_rank() over (partition by creator_id, platform order by coalesce(messages_per_stream, 0))
            as messages_rank,
        percent_rank() over (partition by creator_id, platform order by event_count) as events_rank,
        percent_rank() over (partition by creator_id, platform order by tenure_days) as tenure_rank
    from measured
),

scored as (
    select
        *,
        -- rounded: sums of the same ranks must tie whatever the order they were added in
        100 * percent_rank() over (
            partition by creator_id, platform
            order by round(0.4 * attendance_rank + 0.3 * messages_rank + 0.2 * events_rank + 0.1 * tenure_rank, 9)
        ) as engagement_score
    from ranked
)

select
    scored.creator_id,
    scored.platform,
    scored.viewer_id,
    names.login,
    names.display_name,
    scored.as_of_date,
    scored.first_activity_at,
    scored.last_activity_at,
    scored.active_day_count,
    scored.active_month_count,
    scored.active_month_count_12m,
    scored.attended_stream_count,
    scored.offered_stream_count,
    scored.message_count,
    scored.event_count,
    scored.presence_poll_count,
    case
        {%- for tier in var('loyalty_tiers') %}
        when scored.attended_stream_count >= {{ tier['streams'] }}
            and scored.message_count >= {{ tier['messages'] }}
            and scored.event_count >= {{ tier['events'] }}
            then '{{ tier['tier'] }}'
        {%- endfor %}
        else 'new'
    end as loyalty_tier,
    case
        when scored.active_month_count_12m > {{ var('loyalty_casual_months') }} then 'regular'
        when date_trunc('month', scored.first_activity_at) = date_trunc('month', scored.as_of_date) then 'new'
        when scored.active_month_count_12m > 0 then 'casual'
    end as platform_loyalty,
    case
        when scored.silent_air_days > {{ var('churned_days') }} then 'churned'
        when scored.silent_air_days > {{ var('churning_days') }}
            and scored.attended_stream_count > {{ var('churning_min_streams') }}
            then 'churning'
        else 'active'
    end as lifecycle_state,
    scored.silent_days,
    scored.silent_air_days,
    scored.streams_missed,
    scored.messages_per_stream,
    case
        when scored.messages_per_stream >= {{ var('very_active_messages') }} then 'very_active'
        when scored.messages_per_stream >= {{ var('active_messages') }} then 'active'
        when scored.message_count > 0 then 'occasional'
        when scored.presence_poll_count > 0 then 'lurker'
    end as chat_frequency,
    scored.attendance_ratio,
    scored.tenure_days,
    scored.attendance_rank,
    scored.messages_rank,
    scored.events_rank,
    scored.tenure_rank,
    scored.engagement_score,
    hours.preferred_hours,
    coalesce(events.follow_count, 0) as follow_count,
    coalesce(events.subscription_count, 0) as subscription_count,
    coalesce(events.subscribed_month_count, 0) as subscribed_month_count,
    coalesce(events.gift_count, 0) as gift_count,
    coalesce(events.donation_count, 0) as donation_count,
    events.donations,
    coalesce(events.donation_usd, 0)::double as donation_usd,
    coalesce(events.donation_without_rate_count, 0) as donation_without_rate_count,
    coalesce(events.raid_count, 0) as raid_count,
    coalesce(events.raid_viewer_count, 0) as raid_viewer_count,
    case when scored.presence_poll_count > 0 then 'presence_sampled' else 'chat_inferred' end as observability
from scored
left join names on scored.platform = names.platform and scored.viewer_id = names.viewer_id
left join hours
    on scored.creator_id = hours.creator_id
    and scored.platform = hours.platform
    and scored.viewer_id = hours.viewer_id
left join events
    on scored.creator_id = events.creator_id
    and scored.platform = events.platform
    and scored.viewer_id = events.viewer_id
