with snapshots as (
    select * from {{ ref('int_viewers_latest') }}
),

ids as (
    select * from {{ ref('int_viewer_ids') }}
),

active as (
    select
        platform,
        viewer_id,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        sum(message_count)::bigint as message_count,
        sum(event_count)::bigint as event_count,
        bool_or(is_bot) as is_bot
    from {{ ref('fct_viewer_days') }}
    where {{ is_seen() }}
    group by platform, viewer_id
),

final as (
    select
        coalesce(active.platform, snapshots.platform) as platform,
        coalesce(active.viewer_id, snapshots.viewer_id) as viewer_id,
        active.* exclude (platform, viewer_id, is_bot),
        snapshots.* exclude (platform, viewer_id, is_bot),
        coalesce(active.is_bot, false) or coalesce(snapshots.is_bot, false) as is_bot
    from active
    full join snapshots on active.platform = snapshots.platform and active.viewer_id = snapshots.viewer_id
)

select
    final.platform,
    final.viewer_id,
    coalesce(ids.viewer_id, final.viewer_id) as canonical_viewer_id,
    coalesce(final.login, case when final.viewer_id like 'login:%' then substr(final.viewer_id, 7) end) as login,
    final.display_name,
    final.created_at,
    final.is_bot,
    final.is_moderator,
    final.is_patron,
    final.observed_at,
    final.first_activity_at,
    final.last_activity_at,
    coalesce(final.message_count, 0) as message_count,
    coalesce(final.event_count, 0) as event_count
from final
left join ids on final.platform = ids.platform and final.viewer_id = ids.stand_in_id
