with accounts as (
    select * from {{ ref('int_viewer_accounts') }} where not is_bot
),

channels as (
    select * from {{ ref('dim_channels') }}
)

select
    days.event_date,
    channels.creator_id,
    days.platform,
    accounts.canonical_viewer_id as viewer_id,
    sum(days.message_count)::bigint as message_count,
    sum(days.event_count)::bigint as event_count,
    sum(days.presence_poll_count)::bigint as presence_poll_count,
    min(days.first_activity_at) as first_activity_at,
    max(days.last_activity_at) as last_activity_at
from {{ ref('fct_viewer_days') }} as days
inner join accounts on days.platform = accounts.platform and days.viewer_id = accounts.viewer_id
inner join channels on days.platform = channels.platform and days.channel_id = channels.channel_id
where {{ is_seen('days.event_date') }}
group by all
