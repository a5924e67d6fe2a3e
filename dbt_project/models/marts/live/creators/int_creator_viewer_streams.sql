with accounts as (
    select * from {{ ref('int_viewer_accounts') }} where not is_bot
),

streams as (
    select * from {{ ref('int_channel_streams') }}
)

select
    streams.creator_id,
    days.platform,
    accounts.canonical_viewer_id as viewer_id,
    days.stream_id,
    streams.first_on_air_at,
    sum(days.message_count)::bigint as message_count,
    min(days.first_activity_at) as first_activity_at
from {{ ref('fct_stream_viewer_days') }} as days
inner join accounts on days.platform = accounts.platform and days.viewer_id = accounts.viewer_id
inner join streams on days.platform = streams.platform and days.stream_id = streams.stream_id
where {{ is_seen('days.event_date') }}
group by all
