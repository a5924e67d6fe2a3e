with traced as (
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
    traced.platform,
    traced.viewer_id,
    coalesce(ids.viewer_id, traced.viewer_id) as canonical_viewer_id,
    bool_or(bots.viewer_id is not null) over (
        partition by traced.platform, coalesce(ids.viewer_id, traced.viewer_id)
    ) as is_bot
from traced
left join ids on traced.platform = ids.platform and traced.viewer_id = ids.stand_in_id
left join bots on traced.platform = bots.platform and traced.viewer_id = bots.viewer_id
