with channels as (
    select platform, channel_id, time_zone from {{ ref('dim_channels') }}
),

streams as (
    select platform, stream_id, coalesce(category_name, '') as category from {{ ref('int_streams') }}
),

stream_hours as (
    -- an hour of a stream is one observation, however many of its minutes were seen: from a third of the hour on
    select
        minutes.platform,
        minutes.channel_id,
        minutes.stream_id,
        streams.category,
        date_trunc('hour', {{ local_time('minutes.minute_at', 'channels.time_zone') }}) as local_hour_at,
        {{ sum_seconds('minutes.viewer_seconds') }} / {{ sum_seconds('minutes.observed_seconds') }} as average_viewers,
        {{ sum_seconds('minutes.viewer_seconds') }} as viewer_seconds,
        {{ sum_seconds('minutes.observed_seconds') }} as observed_seconds
    from {{ ref('fct_stream_minutes') }} as minutes
    inner join streams on minutes.platform = streams.platform and minutes.stream_id = streams.stream_id
    left join channels on minutes.platform = channels.platform and minutes.channel_id = channels.channel_id
    where {{ is_seen('minutes.event_date') }} and minutes.viewer_seconds is not null
    group by all
    having sum(minutes.observed_seconds) >= 1200
),

observations as (
    select
        platform,
        channel_id,
        stream_id,
        category,
        isodow(local_hour_at) * 100 + hour(local_hour_at) as week_hour,
        epoch(local_hour_at) / 86400 as day,
        ln(greatest(average_viewers, 0.5)) as y,
        viewer_seconds,
        observed_seconds
    from stream_hours
),

{{ fit_additively('observations', ['week_hour', 'category']) }},

channel_fits as (
    select
        platform,
        channel_id,
        arg_max(trend, day) as last_trend,
        avg(week_hour_effect) as mean_effect,
        -- what is left of the freedom after a level, a trend and the effects
        sum(residual * residual)
            / nullif(greatest(count(*) - 1 - count(distinct week_hour) - count(distinct category), 0), 0) as variance
    from fitted
    group by platform, channel_id
),

hours as (
    select
        platform,
        channel_id,
        week_hour,
        count(distinct stream_id) as stream_count,
        {{ sum_seconds('viewer_seconds') }} as viewer_seconds,
        {{ sum_seconds('observed_seconds') }} as observed_seconds,
        any_value(week_hour_effect) as effect
    from fitted
    group by platform, channel_id, week_hour
)

select
    hours.platform,
    hours.channel_id,
    (hours.week_hour // 100)::integer as local_day_of_week,
    (hours.week_hour % 100)::integer as local_hour,
    hours.stream_count,
    hours.viewer_seconds,
    hours.observed_seconds,
    hours.viewer_seconds / hours.observed_seconds as average_viewers,
    -- rounded: the last digits of means depend on the order of rows
    round(exp(hours.effect - fits.mean_effect), 6) as relative_viewers,
    round(exp(hours.effect - fits.mean_effect - {{ half_interval('fits.variance', 'hours.stream_count') }}), 6)
        as relative_viewers_low,
    round(exp(hours.effect - fits.mean_effect + {{ half_interval('fits.variance', 'hours.stream_count') }}), 6)
        as relative_viewers_high,
    round(exp(fits.last_trend + hours.effect), 3) as expected_viewers
from hours
inner join channel_fits as fits on hours.platform = fits.platform and hours.channel_id = fits.channel_id
