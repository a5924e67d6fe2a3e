with intervals as (
    select *
    from {{ intervals_between_snapshots(
        ref('stg_bans'), "'banned'", ['viewer_id'], moment='banned_at', extra=['expires_at', 'reason', 'moderator_id']
    ) }}
)

select
    platform,
    channel_id,
    viewer_id,
    banned_at,
    expires_at,
    reason,
    moderator_id,
    first_seen_at,
    last_seen_at,
    snapshot_count,
    began_after_at,
    ended_before_at,
    case
        when ended_before_at is null then null
        when expires_at <= ended_before_at then 'expired'
        else 'lifted'
    end as ended_by,
    ended_before_at is null as is_open
from intervals
