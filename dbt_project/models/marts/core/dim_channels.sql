with creators as (
    select * from {{ ref('int_creator_channels') }}
),

looks as (
    select * from {{ ref('int_channels_latest') }}
),

traced as (
    -- distinct: a channel has many messages and events
    select distinct platform, channel_id from {{ ref('fct_chat_messages') }} where {{ is_seen() }}
    union
    select platform, channel_id from {{ ref('fct_viewer_days') }} where {{ is_seen() }}
),

channels as (
    select platform, channel_id from creators
    union
    select platform, channel_id from traced
),

streams as (
    select
        platform,
        channel_id,
        count(*) as stream_count,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at
    from {{ ref('int_streams') }}
    group by platform, channel_id
)

select
    channels.platform,
    channels.channel_id,
    coalesce(creators.creator_id, channels.platform || ':' || channels.channel_id) as creator_id,
    creators.creator_name,
    coalesce(creators.time_zone, 'UTC') as time_zone,
    looks.login,
    looks.display_name,
    looks.language,
    looks.broadcaster_type,
    looks.created_at,
    looks.follower_count,
    looks.subscriber_count,
    looks.total_view_count,
    looks.observed_at,
    coalesce(streams.stream_count, 0) as stream_count,
    streams.first_started_at,
    streams.last_started_at
from channels
left join creators on channels.platform = creators.platform and channels.channel_id = creators.channel_id
left join looks on channels.platform = looks.platform and channels.channel_id = looks.channel_id
left join streams on channels.platform = streams.platform and channels.channel_id = streams.channel_id
