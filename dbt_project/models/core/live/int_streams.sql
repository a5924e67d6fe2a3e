with intervals as (
    select * from {{ ref('int_stream_intervals') }}
),

ids as (
    select * from {{ ref('int_stream_ids') }}
),

final as (
    select
        ids.platform,
        ids.stream_id,
        any_value(ids.channel_id) as channel_id,
        count(*) as source_stream_count,
        bool_and(intervals.is_relayed) as is_relayed,
        arg_max(title, seen_order) as title,
        arg_max(category_id, seen_order) as category_id,
        arg_max(category_name, seen_order) as category_name,
        arg_max(language, seen_order) as language,
        arg_max(tags, seen_order) as tags,
        coalesce(min(started_at) filter (is_start_stated), min(started_at)) as started_at,
        coalesce(min(started_date) filter (is_start_stated), min(started_date)) as started_date,
        coalesce(max(ended_at) filter (is_end_stated), max(ended_at)) as ended_at,
        bool_or(is_end_stated) as is_end_stated,
        arg_max(vod_id, seen_order) as vod_id,
        arg_max(vod_view_count, seen_order) as vod_view_count,
        arg_max(is_rerun, seen_order) as is_rerun
    from (select *, (observed_at, stream_id) as seen_order from intervals) as intervals
    inner join ids on intervals.platform = ids.platform and intervals.stream_id = ids.source_stream_id
    group by ids.platform, ids.stream_id
)

select
    platform,
    stream_id,
    channel_id,
    source_stream_count,
    is_relayed,
    title,
    category_id,
    category_name,
    language,
    tags,
    started_at,
    started_date,
    greatest(ended_at, started_at) as ended_at,
    is_end_stated,
    vod_id,
    vod_view_count,
    is_rerun
from final
