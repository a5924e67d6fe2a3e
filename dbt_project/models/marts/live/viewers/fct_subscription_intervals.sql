with intervals as (
    select *
    from {{ intervals_between_snapshots(
        ref('stg_subscriptions'), "'subscriptions'", ['viewer_id'], extra=['tier', 'is_gift', 'gifter_id']
    ) }}
    -- the broadcaster is listed among the subscribers of their own channel
    where viewer_id <> channel_id
)

select
    platform,
    channel_id,
    viewer_id,
    tier,
    is_gift,
    gifter_id,
    first_seen_at,
    last_seen_at,
    snapshot_count,
    began_after_at,
    ended_before_at,
    ended_before_at is null as is_open
from intervals
