with snapshots as (
    select * from {{ ref('stg_streams') }} where vod_view_count is not null
),

named as (
    -- a stream and its recording are one stream: where two names of it state a count at one moment, the greater stands
    select
        ids.platform,
        ids.stream_id,
        ids.channel_id,
        snapshots.observed_at,
        max(snapshots.vod_view_count) as stated_view_count,
        bool_and(snapshots.is_complete) as is_complete
    from snapshots
    inner join {{ ref('int_stream_ids') }} as ids
        on snapshots.platform = ids.platform and snapshots.stream_id = ids.source_stream_id
    group by ids.platform, ids.stream_id, ids.channel_id, snapshots.observed_at
),

counted as (
    -- views once counted stay counted: one that states fewer (a recount, a cache) holds the highest count before it
    select
        *,
        max(stated_view_count) over (partition by platform, stream_id order by observed_at) as view_count
    from named
),

final as (
    select
        *,
        lag(observed_at) over stream as previous_observed_at,
        lag(view_count) over stream as previous_view_count,
        row_number() over (
            partition by platform, stream_id order by is_complete desc, observed_at desc
        ) = 1 as is_latest
    from counted
    window stream as (partition by platform, stream_id order by observed_at)
)

select
    platform,
    stream_id,
    channel_id,
    observed_at,
    previous_observed_at,
    (epoch_us(observed_at) - epoch_us(previous_observed_at)) / 1000000 as seconds_since_snapshot,
    view_count,
    view_count - previous_view_count as view_growth,
    stated_view_count,
    view_count - stated_view_count as view_shortfall,
    is_complete,
    is_latest
from final
