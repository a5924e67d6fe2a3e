with snapshots as (
    select * from {{ ref('stg_channels') }}
),

owners as (
    select * from {{ ref('int_owned_channels') }}
),

channel_ids as (
    select * from {{ ref('int_channel_ids') }}
),

named as (
    select
        snapshots.* exclude (channel_id),
        coalesce(owners.channel_id, channel_ids.channel_id, snapshots.channel_id) as channel_id
    from snapshots
    left join owners
        on snapshots.platform = owners.platform and snapshots.channel_id = 'owner:' || owners.creator_id
    left join channel_ids
        on snapshots.platform = channel_ids.platform and snapshots.channel_id = channel_ids.stand_in_id
),

final as (
    select
        platform,
        channel_id,
        max(observed_at) as observed_at,
        arg_max(login, seen_order) as login,
        arg_max(display_name, seen_order) as display_name,
        arg_max(created_at, seen_order) as created_at,
        arg_max(language, seen_order) as language,
        arg_max(follower_count, seen_order) as follower_count,
        arg_max(subscriber_count, seen_order) as subscriber_count,
        arg_max(total_view_count, seen_order) as total_view_count,
        arg_max(broadcaster_type, seen_order) as broadcaster_type
    from (select *, (observed_at, source, landing_file) as seen_order from named)
    group by platform, channel_id
)

select
    platform,
    channel_id,
    observed_at,
    login,
    display_name,
    created_at,
    language,
    follower_count,
    subscriber_count,
    total_view_count,
    broadcaster_type
from final
