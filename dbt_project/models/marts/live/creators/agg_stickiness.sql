with as_of as (
    {{ as_of_dates() }}
),

distribution as (
    select * from {{ ref('agg_active_days') }}
),

air_days as (
    select * from {{ ref('int_air_days') }}
),

air as (
    select as_of_date, creator_id, platform, count(*) as air_day_count
    from {{ before_as_of('air_days', 'event_date', 28) }}
    group by all
),

final as (
    select
        as_of_date,
        creator_id,
        platform,
        sum(viewer_count)::bigint as monthly_active_viewer_count,
        sum(active_day_count * viewer_count)::bigint as viewer_day_count
    from distribution
    group by as_of_date, creator_id, platform
)

select
    final.as_of_date,
    final.creator_id,
    final.platform,
    coalesce(air.air_day_count, 0) as air_day_count,
    final.monthly_active_viewer_count,
    final.viewer_day_count,
    final.viewer_day_count / 28 as mean_daily_active_viewers,
    final.viewer_day_count / 28 / final.monthly_active_viewer_count as stickiness_ratio,
    final.viewer_day_count / nullif(air.air_day_count, 0) / final.monthly_active_viewer_count as air_stickiness_ratio
from final
left join air using (as_of_date, creator_id, platform)
