with creators as (
    select * from {{ ref('int_creator_channels') }}
),

snapshots as (
    select * from {{ ref('int_channels_latest') }}
),

active as (
    -- distinct: a channel has many messages and events
    select distinct platform, channel_id from {{ ref('fct_chat_messages') }} where {{ is_seen() }}
    union
    select platform, channel_id from {{ ref('fct_viewer_days') }} where {{ is_seen() }}
    union
    select platform, channel_id from {{ ref('fct_moderation') }} where {{ is_seen() }}
),

channels as (
    select platform, channel_id from creators
    union
    select platform, channel_id from active
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
    snapshots.login,
    snapshots.display_name,
    snapshots.language,
    snapshots.broadcaster_type,
    snapshots.created_at,
    snapshots.follower_count,
    snapshots.subscriber_count,
    snapshots.total_view_count,
    snapshots.observed_at,
    coalesce(streams.stream_count, 0) as stream_count,
    streams.first_started_at,
    streams.last_started_at
from channels
left join creators on channels.platform = creators.platform and channels.channel_id = creators.channel_id
left join snapshots on channels.platform = snapshots.platform and channels.channel_id = snapshots.channel_id
left join streams on channels.platform = streams.platform and channels.channel_id = streams.channel_id
