with looks as (
    select
        segments.*,
        ids.stream_id as canonical_stream_id
    from {{ ref('stg_stream_segments') }} as segments
    inner join {{ ref('int_stream_ids') }} as ids
        on segments.platform = ids.platform and segments.stream_id = ids.source_stream_id
),

chosen as (
    -- one source and one look per stream: chapters of two tools, or of two looks, are not cut into each other
    select
        platform,
        canonical_stream_id,
        stream_id,
        source,
        observed_at
    from looks
    qualify row_number() over (
        partition by platform, canonical_stream_id
        order by {{ source_rank() }}, observed_at desc, source, stream_id
    ) = 1
)

select
    looks.platform,
    looks.canonical_stream_id as stream_id,
    looks.segment_started_at,
    looks.segment_ended_at,
    looks.category_id,
    looks.category_name,
    looks.title
from looks
inner join chosen
    on looks.platform = chosen.platform
    and looks.stream_id = chosen.stream_id
    and looks.source = chosen.source
    and looks.observed_at = chosen.observed_at
