{{ config(materialized='table', tags=['as_of']) }}

with incomplete as (
    {{ incomplete_snapshots(source('raw', 'streams'), 'stream_id', as_of()) }}
),

final as (
    select
        source,
        folder,
        platform,
        observed_at,
        list(channel_id order by channel_id) as missing_channel_ids,
        sum(rows_before)::bigint as missing_row_count
    from incomplete
    group by source, folder, platform, observed_at
)

select
    source,
    folder,
    platform,
    observed_at,
    missing_channel_ids,
    missing_row_count
from final
