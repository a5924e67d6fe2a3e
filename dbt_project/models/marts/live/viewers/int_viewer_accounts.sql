with active as (
    -- distinct: a viewer has many days
    select distinct platform, viewer_id from {{ ref('fct_viewer_days') }} where {{ is_seen() }}
),

ids as (
    select * from {{ ref('int_viewer_ids') }}
),

bots as (
    select * from {{ ref('int_bot_accounts') }}
)

select
    active.platform,
    active.viewer_id,
    coalesce(ids.viewer_id, active.viewer_id) as canonical_viewer_id,
    bool_or(bots.viewer_id is not null) over (
        partition by active.platform, coalesce(ids.viewer_id, active.viewer_id)
    ) as is_bot
from active
left join ids on active.platform = ids.platform and active.viewer_id = ids.stand_in_id
left join bots on active.platform = bots.platform and active.viewer_id = bots.viewer_id
