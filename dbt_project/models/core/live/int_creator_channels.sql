with owners as (
    select * from {{ ref('int_channel_owners_latest') }}
),

channels as (
    -- distinct: a channel has many streams
    select distinct platform, channel_id from {{ ref('int_streams') }}
    union
    select platform, channel_id from {{ ref('int_channels_latest') }}
    union
    select platform, channel_id from owners
),

final as (
    select
        channels.platform,
        channels.channel_id,
        case
            when owners.creator_id is not null then owners.creator_id
            when channels.channel_id like 'owner:%' then substr(channels.channel_id, 7)
            -- the channels of one relayed stream whose owner no snapshot has named yet
            when channels.channel_id like 'stream:%' then channels.channel_id
            else channels.platform || ':' || channels.channel_id
        end as creator_id,
        owners.creator_name,
        coalesce(owners.time_zone, 'UTC') as time_zone
    from channels
    left join owners on channels.platform = owners.platform and channels.channel_id = owners.channel_id
)

select
    platform,
    channel_id,
    creator_id,
    creator_name,
    time_zone
from final
