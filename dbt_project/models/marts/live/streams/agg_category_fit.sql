with channels as (
    select platform, channel_id, time_zone from {{ ref('dim_channels') }}
),

streams as (
    select
        platforms.platform,
        platforms.channel_id,
        broadcasts.category_name as category,
        platforms.average_viewers,
        {{ local_time('platforms.started_at', 'channels.time_zone') }} as local_started_at
    from {{ ref('fct_stream_platforms') }} as platforms
    inner join {{ ref('int_broadcasts_summed') }} as broadcasts on platforms.broadcast_id = broadcasts.broadcast_id
    left join channels on platforms.platform = channels.platform and platforms.channel_id = channels.channel_id
    where platforms.average_viewers > 0 and platforms.started_at is not null and broadcasts.category_name is not null
),

observations as (
    select
        platform,
        channel_id,
        category,
        isodow(local_started_at) as weekday,
        hour(local_started_at) as start_hour,
        epoch(local_started_at) / 86400 as day,
        ln(average_viewers) as y
    from streams
),

{{ fit_additively('observations', ['weekday', 'start_hour', 'category']) }},

channel_fits as (
    select
        platform,
        channel_id,
        avg(category_effect) as mean_effect,
        sum(residual * residual) / nullif(greatest(
            count(*) - count(distinct weekday) - count(distinct start_hour) - count(distinct category), 0
        ), 0) as variance
    from fitted
    group by platform, channel_id
),

categories as (
    select
        platform,
        channel_id,
        category,
        count(*) as stream_count,
        any_value(category_effect) as effect,
        exp(avg(y)) as typical_viewers
    from fitted
    group by platform, channel_id, category
)

select
    categories.platform,
    categories.channel_id,
    categories.category as category_name,
    categories.stream_count,
    -- rounded: the last digits of means depend on the order of rows
    round(categories.typical_viewers, 3) as typical_viewers,
    round(exp(categories.effect - fits.mean_effect), 6) as category_fit,
    round(
        exp(categories.effect - fits.mean_effect - {{ half_interval('fits.variance', 'categories.stream_count') }}), 6
    ) as category_fit_low,
    round(
        exp(categories.effect - fits.mean_effect + {{ half_interval('fits.variance', 'categories.stream_count') }}), 6
    ) as category_fit_high
from categories
inner join channel_fits as fits
    on categories.platform = fits.platform and categories.channel_id = fits.channel_id
