with snapshots as (
    select * from {{ ref('stg_streams') }}
),

complete as (
    -- an incomplete snapshot says nothing about what it holds; it stands in only for a stream no complete snapshot has
    select * from snapshots
    qualify is_complete or not bool_or(is_complete) over (partition by platform, stream_id)
),

final as (
    -- arg_max skips nulls: the latest snapshot that says it, since no source says everything
    select
        platform,
        stream_id,
        max(observed_at) as observed_at,
        arg_max(source, observed_at) as source,
        arg_max(channel_id, observed_at) as channel_id,
        arg_max(source_broadcast_id, observed_at) as source_broadcast_id,
        arg_max(title, observed_at) as title,
        arg_max(category_id, observed_at) as category_id,
        arg_max(category_name, observed_at) as category_name,
        arg_max(language, observed_at) as language,
        arg_max(tags, observed_at) as tags,
        arg_max(started_at, observed_at) as started_at,
        arg_max(coalesce(started_at::date, started_date), observed_at) as started_date,
        arg_max(
            coalesce(ended_at, started_at + to_microseconds((duration_seconds * 1000000)::bigint)), observed_at
        ) as ended_at,
        arg_max(vod_id, observed_at) as vod_id,
        arg_max(vod_view_count, observed_at) as vod_view_count,
        arg_max(is_rerun, observed_at) as is_rerun
    from complete
    group by platform, stream_id
)

select
    platform,
    stream_id,
    observed_at,
    source,
    channel_id,
    source_broadcast_id,
    title,
    category_id,
    category_name,
    language,
    tags,
    started_at,
    started_date,
    ended_at,
    vod_id,
    vod_view_count,
    is_rerun
from final
