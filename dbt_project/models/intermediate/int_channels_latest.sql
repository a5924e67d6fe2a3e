with looks as (
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
        looks.* exclude (channel_id),
        coalesce(owners.channel_id, channel_ids.channel_id, looks.channel_id) as channel_id
    from looks
    left join owners
        on looks.platform = owners.platform and looks.channel_id = 'owner:' || owners.creator_id
    left join channel_ids
        on looks.platform = channel_ids.platform and looks.channel_id = channel_ids.stand_in_id
),

final as (
    select
        platform,
        channel_id,
        max(observed_at) as observed_at,
        arg_max(login, looked_at) as login,
        arg_max(display_name, looked_at) as display_name,
        arg_max(created_at, looked_at) as created_at,
        arg_max(language, looked_at) as language,
        arg_max(follower_count, looked_at) as follower_count,
        arg_max(subscriber_count, looked_at) as subscriber_count,
        arg_max(total_view_count, looked_at) as total_view_count,
        arg_max(broadcaster_type, looked_at) as broadcaster_type
    from (select *, (observed_at, source, landing_file) as looked_at from named)
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
