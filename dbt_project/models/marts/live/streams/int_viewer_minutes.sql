{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with samples as not materialized (
    select
        event_date,
        platform,
        channel_id,
        stream_id,
        stream_id as source_stream_id,
        observed_at,
        viewer_count,
        source,
        extracted_at,
        landing_file
    from {{ ref('stg_viewer_counts') }}
    -- a neighbouring day: a sample holds over midnight
    where {{ in_window(pad=1) }} and viewer_count >= 0
),

windows as (
    select * from {{ ref('int_platform_windows') }}
),

on_air as not materialized (
    -- what a relay counts on a platform before it started there or after it stopped is not observed
    select samples.* from samples
    anti join windows on samples.platform = windows.platform and samples.stream_id = windows.stream_id
    union all
    select samples.* from samples
    semi join windows
        on samples.platform = windows.platform
        and samples.stream_id = windows.stream_id
        and samples.observed_at between windows.on_air_from and windows.on_air_until
),

instants as (
    -- one figure per instant: two tools may have sampled one stream at the same moment
    select
        platform,
        stream_id,
        observed_at,
        arg_min(viewer_count, ({{ source_rank() }}, -epoch_us(extracted_at), landing_file)) as viewer_count
    from {{ with_streams('on_air', 'observed_at') }}
    where stream_id is not null
    group by platform, stream_id, observed_at
),

holds as (
    select
        platform,
        stream_id,
        observed_at,
        viewer_count,
        lead(observed_at) over (partition by platform, stream_id order by observed_at) as next_observed_at
    from instants
),

held_minutes as (
    select
        platform,
        stream_id,
        unnest(range(date_trunc('minute', observed_at), next_observed_at, interval 1 minute)) as minute_at,
        observed_at,
        next_observed_at,
        viewer_count,
        0 as sample_count
    from holds
    where next_observed_at <= observed_at + interval ({{ var('max_gap_seconds') }}) second
    union all
    -- the sample itself, which counts for the peak and the number of samples also where it holds for nothing
    select
        platform,
        stream_id,
        date_trunc('minute', observed_at) as minute_at,
        observed_at,
        observed_at as next_observed_at,
        viewer_count,
        1 as sample_count
    from holds
),

held as (
    select
        *,
        epoch_us(least(next_observed_at, minute_at + interval 1 minute))
            - epoch_us(greatest(observed_at, minute_at)) as held_us
    from held_minutes
    where {{ in_window('minute_at::date') }}
),

final as (
    select
        minute_at::date as event_date,
        platform,
        stream_id,
        minute_at,
        -- summed as whole microseconds, so that the order of rows cannot change the last digit
        case when sum(held_us) > 0 then sum(viewer_count * held_us) / 1000000 end as viewer_seconds,
        sum(held_us) / 1000000 as observed_seconds,
        max(viewer_count) as peak_viewers,
        sum(sample_count)::bigint as sample_count
    from held
    group by platform, stream_id, minute_at
)

select
    event_date,
    platform,
    stream_id,
    minute_at,
    viewer_seconds,
    observed_seconds,
    peak_viewers,
    sample_count
from final
