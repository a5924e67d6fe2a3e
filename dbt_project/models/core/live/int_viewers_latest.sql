with snapshots as (
    select * from {{ ref('stg_viewers') }}
),

final as (
    select
        platform,
        viewer_id,
        max(observed_at) as observed_at,
        arg_max(login, observed_at) as login,
        arg_max(display_name, observed_at) as display_name,
        arg_max(created_at, observed_at) as created_at,
        arg_max(is_bot, observed_at) as is_bot,
        arg_max(is_moderator, observed_at) as is_moderator,
        arg_max(is_patron, observed_at) as is_patron
    from snapshots
    group by platform, viewer_id
)

select
    platform,
    viewer_id,
    observed_at,
    login,
    display_name,
    created_at,
    is_bot,
    is_moderator,
    is_patron
from final
