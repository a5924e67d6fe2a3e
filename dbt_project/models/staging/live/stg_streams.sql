with streams as (
    {{ staged_states('streams') }}
)

select
    streams.* replace (coalesce(streams.is_complete, true) and incomplete.observed_at is null as is_complete)
from streams
left join {{ ref('stg_incomplete_snapshots') }} as incomplete
    on streams.source = incomplete.source
    and regexp_extract(streams.landing_file, '^(.*)/', 1) = incomplete.folder
    and streams.platform = incomplete.platform
    and streams.observed_at = incomplete.observed_at
