with events as (
    select * from {{ with_usd(ref('int_stream_events_resolved'), 'occurred_at') }}
    where {{ is_seen() }} and amount is not null and {{ is_donation() }}
),

broadcasts as (
    select * from {{ ref('int_broadcasts') }}
),

relayed as (
    -- what a relay records on its own page went to no platform's stream: its record names the broadcast
    select
        ids.source_stream_id,
        min(broadcasts.broadcast_id) as broadcast_id
    from {{ ref('int_stream_ids') }} as ids
    inner join broadcasts on ids.platform = broadcasts.platform and ids.stream_id = broadcasts.stream_id
    group by ids.source_stream_id
),

final as (
    select
        events.event_date,
        events.platform,
        events.event_id,
        events.occurred_at,
        events.channel_id,
        events.stream_id,
        coalesce(broadcasts.broadcast_id, relayed.broadcast_id) as broadcast_id,
        broadcasts.broadcast_id is null and {{ is_relay('events.platform') }} as is_off_platform,
        events.event_type,
        events.amount,
        upper(events.currency) as currency,
        events.amount_usd::double as amount_usd
    from events
    left join broadcasts on events.platform = broadcasts.platform and events.stream_id = broadcasts.stream_id
    left join relayed
        on {{ is_relay('events.platform') }} and events.channel_id = 'stream:' || relayed.source_stream_id
)

select
    event_date,
    platform,
    event_id,
    occurred_at,
    channel_id,
    stream_id,
    broadcast_id,
    is_off_platform,
    event_type,
    amount,
    currency,
    amount_usd
from final
