with marks as (
    select platform, viewer_id, observed_at::date as known_date
    from {{ ref('stg_viewers') }}
    where is_bot
    union all
    select platform, viewer_id, event_date as known_date
    from {{ ref('fct_stream_viewer_days') }}
    where {{ is_seen() }} and is_marked_bot
    union all
    -- whether the last minutes of a day were part of a bot's burst is said by the next day
    select platform, viewer_id, event_date + 1 as known_date
    from {{ ref('fct_viewer_days') }}
    where {{ is_seen() }} and is_bot
)

select
    platform,
    viewer_id,
    min(known_date) as known_date
from marks
group by platform, viewer_id
