with days as (
    select event_date, platform, stream_id from {{ ref('fct_stream_minutes') }} where {{ is_seen() }}
    union
    select event_date, platform, stream_id from {{ ref('fct_stream_viewer_days') }}
    where {{ is_seen() }} and stream_id is not null
),

streams as (
    select * from {{ ref('int_channel_streams') }}
)

select
    days.event_date,
    streams.creator_id,
    days.platform,
    count(*) as stream_count,
    count(*) filter (days.event_date = streams.first_on_air_date) as stream_start_count
from days
inner join streams on days.platform = streams.platform and days.stream_id = streams.stream_id
group by days.event_date, streams.creator_id, days.platform
