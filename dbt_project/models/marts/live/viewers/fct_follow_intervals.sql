with intervals as (
    select *
    from {{ intervals_between_snapshots(ref('stg_follows'), "'followers'", ['viewer_id'], moment='followed_at') }}
)

select
    platform,
    channel_id,
    viewer_id,
    followed_at,
    first_seen_at,
    last_seen_at,
    snapshot_count,
    began_after_at,
    ended_before_at,
    ended_before_at is null as is_open
from intervals
