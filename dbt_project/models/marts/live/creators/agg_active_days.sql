with as_of as (
    {{ as_of_dates() }}
),

days as (
    select creator_id, platform, viewer_id, event_date from {{ ref('int_creator_viewer_days') }}
),

viewers as (
    select as_of_date, creator_id, platform, viewer_id, count(*) as active_day_count
    from {{ before_as_of('days', 'event_date', 28) }}
    group by all
)

select
    as_of_date,
    creator_id,
    platform,
    active_day_count,
    count(*) as viewer_count
from viewers
group by as_of_date, creator_id, platform, active_day_count
