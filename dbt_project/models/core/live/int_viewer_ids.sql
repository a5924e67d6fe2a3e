with snapshots as (
    select * from {{ ref('stg_viewers') }}
),

final as (
    -- a login can change hands: the latest snapshot of a viewer with that login says whose it is
    select
        platform,
        'login:' || login as stand_in_id,
        arg_max(viewer_id, (observed_at, viewer_id)) as viewer_id
    from snapshots
    where login is not null and viewer_id not like 'login:%'
    group by platform, login
)

select
    platform,
    stand_in_id,
    viewer_id
from final
