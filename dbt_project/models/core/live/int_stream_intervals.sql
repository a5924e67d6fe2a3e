with snapshots as (
    select * from {{ ref('int_streams_latest') }}
),

owned_channels as (
    select * from {{ ref('int_owned_channels') }}
),

channel_ids as (
    select * from {{ ref('int_channel_ids') }}
),

activity as (
    select
        platform,
        stream_id,
        min(first_activity_at) as first_activity_at,
        max(last_activity_at) as last_activity_at,
        coalesce(min(channel_id) filter ({{ is_native('channel_id') }}), min(channel_id)) as channel_id,
        sum(message_count + positive_sample_count) > 0
            or count(platform_started_ats) > 0 as is_evidence
    from {{ ref('int_stream_activity') }}
    where stream_id is not null and {{ is_seen() }}
    group by platform, stream_id
),

relays as (
    select * from snapshots where {{ is_relay('platform') }}
),

stated as (
    select
        *,
        false as is_relayed
    from snapshots
    where not {{ is_relay('platform') }}
    union all
    -- the record of a relay stands for one stream on each platform that shows evidence of it
    select
        relays.* replace (
            activity.platform as platform,
            coalesce(relays.source_broadcast_id, relays.stream_id) as source_broadcast_id
        ),
        true as is_relayed
    from relays
    inner join activity on relays.stream_id = activity.stream_id
    where activity.is_evidence and not {{ is_relay('activity.platform') }}
),

activity_only as (
    -- samples of a relay name a platform whether or not it was streamed to: without evidence there is no stream
    select activity.* from activity
    anti join stated on activity.platform = stated.platform and activity.stream_id = stated.stream_id
    anti join relays on activity.stream_id = relays.stream_id
    where (activity.is_evidence or activity.channel_id not like 'stream:%') and not {{ is_relay('activity.platform') }}
),

unioned as (
    select
        stated.* replace (
            coalesce(stated.channel_id, activity.channel_id) as channel_id,
            coalesce(stated.started_at, activity.first_activity_at) as started_at,
            coalesce(stated.ended_at, activity.last_activity_at) as ended_at
        ),
        stated.started_at is not null as is_start_stated,
        stated.ended_at is not null as is_end_stated
    from stated
    left join activity on stated.platform = activity.platform and stated.stream_id = activity.stream_id
    union all by name
    select
        platform,
        stream_id,
        channel_id,
        first_activity_at as started_at,
        last_activity_at as ended_at,
        channel_id like 'stream:%' as is_relayed,
        false as is_start_stated,
        false as is_end_stated
    from activity_only
),

final as (
    select
        unioned.* replace (
            coalesce(
                owned_channels.channel_id, channel_ids.channel_id, unioned.channel_id, 'stream:' || unioned.stream_id
            ) as channel_id,
            coalesce(unioned.started_at::date, unioned.started_date) as started_date,
            greatest(unioned.ended_at, unioned.started_at) as ended_at
        )
    from unioned
    left join owned_channels
        on unioned.platform = owned_channels.platform
        and unioned.channel_id = 'owner:' || owned_channels.creator_id
    left join channel_ids
        on unioned.platform = channel_ids.platform and unioned.channel_id = channel_ids.stand_in_id
)

select
    platform,
    stream_id,
    channel_id,
    source,
    source_broadcast_id,
    is_relayed,
    title,
    category_id,
    category_name,
    language,
    tags,
    started_at,
    started_date,
    ended_at,
    is_start_stated,
    is_end_stated,
    vod_id,
    vod_view_count,
    is_rerun,
    observed_at
from final
