{%- set edge = "interval (" ~ var("edge_minutes") ~ ") minute" -%}
with broadcasts as (
    select * from {{ ref('int_broadcasts_summed') }} where started_at is not null
),

minutes as (
    select
        minutes.*,
        minutes.minute_at < broadcasts.started_at + {{ edge }} as is_first,
        minutes.minute_at >= broadcasts.ended_at - {{ edge }} as is_last
    from {{ ref('int_broadcast_minutes') }} as minutes
    inner join broadcasts on minutes.broadcast_id = broadcasts.broadcast_id
    where minutes.observed_seconds > 0
),

edges as (
    select
        broadcast_id,
        {{ sum_seconds('case when is_first then viewer_seconds end') }}
            / {{ sum_seconds('case when is_first then observed_seconds end') }} as first_15_viewers,
        {{ sum_seconds('case when is_last then viewer_seconds end') }}
            / {{ sum_seconds('case when is_last then observed_seconds end') }} as last_15_viewers,
        arg_max(average_viewers, minute_at) as end_viewers
    from minutes
    group by broadcast_id
),

stays as (
    -- a viewer of two days of a broadcast is one: from the first activity to the last
    select
        broadcasts.broadcast_id,
        viewer_days.platform,
        viewer_days.viewer_id,
        max(viewer_days.last_activity_at) - min(viewer_days.first_activity_at) > interval 10 minute as has_stayed
    from {{ ref('fct_stream_viewer_days') }} as viewer_days
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on viewer_days.platform = broadcasts.platform and viewer_days.stream_id = broadcasts.stream_id
    where {{ is_seen('viewer_days.event_date') }} and viewer_days.presence_poll_count > 0
    group by all
),

stayed as (
    select
        broadcast_id,
        count(*) as polled_viewer_count,
        count(*) filter (has_stayed) as stayed_viewer_count
    from stays
    group by broadcast_id
),

final as (
    select
        broadcasts.broadcast_id,
        broadcasts.average_viewers / nullif(broadcasts.peak_viewers, 0) as average_to_peak_ratio,
        edges.first_15_viewers,
        edges.last_15_viewers,
        -- the two edges of a stream must not overlap
        case
            when broadcasts.live_seconds >= 2 * 60 * {{ var("edge_minutes") }}
                then edges.last_15_viewers / nullif(edges.first_15_viewers, 0)
        end as last_to_first_ratio,
        edges.end_viewers,
        edges.end_viewers / nullif(broadcasts.peak_viewers, 0) as end_to_peak_ratio,
        stayed.polled_viewer_count,
        stayed.stayed_viewer_count,
        stayed.stayed_viewer_count / stayed.polled_viewer_count as stay10_ratio
    from broadcasts
    left join edges on broadcasts.broadcast_id = edges.broadcast_id
    left join stayed on broadcasts.broadcast_id = stayed.broadcast_id
)

select
    broadcast_id,
    average_to_peak_ratio,
    first_15_viewers,
    last_15_viewers,
    last_to_first_ratio,
    end_viewers,
    end_to_peak_ratio,
    polled_viewer_count,
    stayed_viewer_count,
    stay10_ratio
from final
