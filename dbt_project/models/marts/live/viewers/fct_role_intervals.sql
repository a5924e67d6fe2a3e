with intervals as (
    select *
    from {{ intervals_between_snapshots(ref('stg_channel_roles'), "r.role || 's'", ['role', 'viewer_id']) }}
)

select
    platform,
    channel_id,
    role,
    viewer_id,
    first_seen_at,
    last_seen_at,
    snapshot_count,
    began_after_at,
    ended_before_at,
    ended_before_at is null as is_open
from intervals
