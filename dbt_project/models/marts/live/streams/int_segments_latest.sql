with snapshots as (
    select
        segments.*,
        ids.stream_id as canonical_stream_id
    from {{ ref('stg_stream_segments') }} as segments
    inner join {{ ref('int_stream_ids') }} as ids
        on segments.platform = ids.platform and segments.stream_id = ids.source_stream_id
),

chosen as (
    -- one source and one snapshot per stream: chapters of two tools, or of two snapshots, are not cut into each other
    select
        platform,
        canonical_stream_id,
        stream_id,
        source,
        observed_at
    from snapshots
    qualify row_number() over (
        partition by platform, canonical_stream_id
        order by {{ source_rank() }}, observed_at desc, source, stream_id
    ) = 1
)

select
    snapshots.platform,
    snapshots.canonical_stream_id as stream_id,
    snapshots.segment_started_at,
    snapshots.segment_ended_at,
    snapshots.category_id,
    snapshots.category_name,
    snapshots.title
from snapshots
inner join chosen
    on snapshots.platform = chosen.platform
    and snapshots.stream_id = chosen.stream_id
    and snapshots.source = chosen.source
    and snapshots.observed_at = chosen.observed_at
