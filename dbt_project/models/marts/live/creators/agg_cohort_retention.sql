with clock as (
    select max(date_day) as as_of_date from {{ ref('dim_dates') }} where {{ is_seen('date_day') }}
),

weeks as (
    select creator_id, platform, viewer_id, date_trunc('week', event_date)::date as week_start_date
    from {{ ref('int_creator_viewer_days') }}
    group by all
),

viewers as (
    select
        creator_id,
        platform,
        viewer_id,
        min(week_start_date) as cohort_week_start_date,
        max(week_start_date) as last_week_start_date
    from weeks
    group by creator_id, platform, viewer_id
),

cohorts as (
    select creator_id, platform, cohort_week_start_date, count(*) as cohort_viewer_count
    from viewers
    group by creator_id, platform, cohort_week_start_date
),

active as (
    select
        weeks.creator_id,
        weeks.platform,
        viewers.cohort_week_start_date,
        weeks.week_start_date,
        count(*) as recurring_viewer_count
    from weeks
    inner join viewers using (creator_id, platform, viewer_id)
    group by all
),

last_seen as (
    select
        creator_id,
        platform,
        cohort_week_start_date,
        last_week_start_date as week_start_date,
        count(*) as viewer_count
    from viewers
    group by all
),

air as (
    select creator_id, platform, date_trunc('week', event_date)::date as week_start_date, count(*) as air_day_count
    from {{ ref('int_air_days') }}
    group by all
),

grid as (
    select
        cohorts.*,
        clock.as_of_date,
        unnest(range(
            cohorts.cohort_week_start_date::timestamp, clock.as_of_date::timestamp + interval 1 day, interval 1 week
        ))::date as week_start_date
    from cohorts
    cross join clock
),

final as (
    select
        grid.*,
        coalesce(active.recurring_viewer_count, 0) as recurring_viewer_count,
        coalesce(sum(last_seen.viewer_count) over (
            partition by grid.creator_id, grid.platform, grid.cohort_week_start_date
            order by grid.week_start_date desc
        ), 0)::bigint as rolling_viewer_count,
        coalesce(air.air_day_count, 0) as air_day_count
    from grid
    left join active using (creator_id, platform, cohort_week_start_date, week_start_date)
    left join last_seen using (creator_id, platform, cohort_week_start_date, week_start_date)
    left join air using (creator_id, platform, week_start_date)
)

select
    creator_id,
    platform,
    cohort_week_start_date,
    (week_start_date - cohort_week_start_date) // 7 as week_number,
    week_start_date,
    week_start_date + 6 <= as_of_date as is_complete,
    air_day_count,
    cohort_viewer_count,
    recurring_viewer_count,
    rolling_viewer_count,
    recurring_viewer_count / cohort_viewer_count as recurring_ratio,
    rolling_viewer_count / cohort_viewer_count as rolling_ratio
from final
