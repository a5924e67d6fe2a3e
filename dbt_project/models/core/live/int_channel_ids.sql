with snapshots as (
    select * from {{ ref('stg_channels') }}
),

final as (
    -- a login can change hands: the latest snapshot of a channel with that login says whose it is
    select
        platform,
        'login:' || login as stand_in_id,
        arg_max(channel_id, (observed_at, channel_id)) as channel_id
    from snapshots
    where login is not null and {{ is_native('channel_id') }}
    group by platform, login
)

select
    platform,
    stand_in_id,
    channel_id
from final
