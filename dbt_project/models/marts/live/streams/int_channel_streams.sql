with minutes as (
    select platform, channel_id, stream_id, min(minute_at) as first_on_air_at
    from {{ ref('fct_stream_minutes') }}
    where {{ is_seen() }}
    group by platform, channel_id, stream_id
),

viewers as (
    select platform, channel_id, stream_id, min(first_activity_at) as first_on_air_at
    from {{ ref('fct_stream_viewer_days') }}
    where {{ is_seen() }} and stream_id is not null
    group by platform, channel_id, stream_id
),

channels as (
    select platform, channel_id, creator_id from {{ ref('dim_channels') }}
),

final as (
    select
        platform,
        channel_id,
        stream_id,
        min(first_on_air_at) as first_on_air_at
    from (
        select * from minutes
        union all
        select * from viewers
    )
    group by platform, channel_id, stream_id
)

select
    final.platform,
    final.channel_id,
    final.stream_id,
    channels.creator_id,
    final.first_on_air_at,
    final.first_on_air_at::date as first_on_air_date
from final
inner join channels on final.platform = channels.platform and final.channel_id = channels.channel_id
