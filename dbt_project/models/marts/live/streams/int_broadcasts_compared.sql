with broadcasts as (
    select * from {{ ref('int_broadcasts_summed') }} where average_viewers is not null and started_at is not null
),

creators as (
    -- a creator's channels share the time zone of the latest owner row
    select
        creator_id,
        min(time_zone) as time_zone
    from {{ ref('int_creator_channels') }}
    group by creator_id
),

placed as (
    select
        broadcasts.broadcast_id,
        broadcasts.creator_id,
        broadcasts.category_name,
        broadcasts.started_at,
        broadcasts.average_viewers,
        isodow({{ local_time('broadcasts.started_at', 'creators.time_zone') }}) as local_day_of_week
    from broadcasts
    left join creators on broadcasts.creator_id = creators.creator_id
)

select
    broadcast_id,
    lag(broadcast_id) over stream as previous_broadcast_id,
    lag(average_viewers) over stream as previous_average_viewers,
    lag(broadcast_id) over comparable as comparable_broadcast_id,
    lag(average_viewers) over comparable as comparable_average_viewers,
    {{ percent_change('average_viewers', 'lag(average_viewers) over stream') }} as viewer_growth_percent,
    {{ percent_change('average_viewers', 'lag(average_viewers) over comparable') }} as comparable_growth_percent
from placed
window
    stream as (partition by creator_id order by started_at, broadcast_id),
    comparable as (
        partition by creator_id, local_day_of_week, category_name order by started_at, broadcast_id
    )
