with source as (
    {{ state_rows('streams', ['platform', 'stream_id', 'observed_at']) }}
),

renamed as (
    select
        event_date,
        platform,
        stream_id,
        observed_at,
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
        duration_seconds,
        vod_id,
        vod_view_count,
        is_rerun,
        coalesce(is_complete, true) as is_complete_as_stated,
        regexp_extract(landing_file, '^(.*)/', 1) as folder,
        source,
        landing_file,
        extracted_at,
        extra
    from source
),

final as (
    select
        renamed.*,
        renamed.is_complete_as_stated and incomplete.observed_at is null as is_complete
    from renamed
    left join {{ ref('stg_incomplete_snapshots') }} as incomplete
        on renamed.source = incomplete.source
        and renamed.folder = incomplete.folder
        and renamed.platform = incomplete.platform
        and renamed.observed_at = incomplete.observed_at
)

select
    event_date,
    platform,
    stream_id,
    observed_at,
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
    duration_seconds,
    vod_id,
    vod_view_count,
    is_rerun,
    is_complete,
    source,
    landing_file,
    extracted_at,
    extra
from final
