with clock as (
    select max(date_day) as as_of_date from {{ ref('dim_dates') }} where {{ is_seen('date_day') }}
),

weeks as (
    select
        creator_id,
        platform,
        viewer_id,
        date_trunc('week', event_date)::date as week_start_date
    from {{ ref('int_creator_viewer_days') }}
    group by all
),

neighbours as (
    select
        *,
        lag(week_start_date) over viewer as previous_week,
        lead(week_start_date) over viewer as next_week
    from weeks
    window viewer as (partition by creator_id, platform, viewer_id order by week_start_date)
),

states as (
    select
        creator_id,
        platform,
        week_start_date,
        case
            when previous_week is null then 'new'
            when previous_week = week_start_date - 7 then 'returning'
            else 'resurrecting'
        end as state
    from neighbours
    union all
    -- seen last week and not in this one
    select creator_id, platform, week_start_date + 7 as week_start_date, 'dormant' as state
    from neighbours
    where next_week is null or next_week > week_start_date + 7
),

counts as (
    select
        creator_id,
        platform,
        week_start_date,
        count(*) filter (state = 'new') as new_viewer_count,
        count(*) filter (state = 'returning') as returning_viewer_count,
        count(*) filter (state = 'resurrecting') as resurrecting_viewer_count,
        count(*) filter (state = 'dormant') as dormant_viewer_count
    from states
    group by creator_id, platform, week_start_date
),

air as (
    select creator_id, platform, date_trunc('week', event_date)::date as week_start_date, count(*) as air_day_count
    from {{ ref('int_air_days') }}
    group by all
),

grid as (
    -- every week since the first, those without anybody too
    select
        creator_id,
        platform,
        clock.as_of_date,
        unnest(range(
            min(week_start_date)::timestamp, clock.as_of_date::timestamp + interval 1 day, interval 1 week
        ))::date as week_start_date
    from weeks
    cross join clock
    group by creator_id, platform, clock.as_of_date
)

select
    grid.creator_id,
    grid.platform,
    grid.week_start_date,
    grid.week_start_date + 6 <= grid.as_of_date as is_complete,
    coalesce(air.air_day_count, 0) as air_day_count,
    coalesce(counts.new_viewer_count, 0) as new_viewer_count,
    coalesce(counts.returning_viewer_count, 0) as returning_viewer_count,
    coalesce(counts.resurrecting_viewer_count, 0) as resurrecting_viewer_count,
    coalesce(counts.dormant_viewer_count, 0) as dormant_viewer_count,
    coalesce(
        counts.new_viewer_count + counts.returning_viewer_count + counts.resurrecting_viewer_count, 0
    ) as active_viewer_count,
    (counts.new_viewer_count + counts.resurrecting_viewer_count) / nullif(counts.dormant_viewer_count, 0)
        as quick_ratio
from grid
left join counts using (creator_id, platform, week_start_date)
left join air using (creator_id, platform, week_start_date)
