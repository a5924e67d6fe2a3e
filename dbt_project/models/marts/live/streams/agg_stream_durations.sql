{%- set bucket = var("duration_bucket_minutes") -%}
with streams as (
    select
        platforms.broadcast_id,
        platforms.platform,
        platforms.channel_id,
        platforms.average_viewers,
        broadcasts.started_at
    from {{ ref('fct_stream_platforms') }} as platforms
    inner join {{ ref('int_broadcasts_summed') }} as broadcasts on platforms.broadcast_id = broadcasts.broadcast_id
    where platforms.average_viewers > 0 and broadcasts.started_at is not null
),

minutes as (
    select
        streams.platform,
        streams.channel_id,
        streams.broadcast_id,
        streams.average_viewers,
        datediff('minute', streams.started_at, minutes.minute_at) // {{ bucket }} as bucket,
        minutes.viewer_seconds,
        minutes.observed_seconds
    from {{ ref('fct_stream_minutes') }} as minutes
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on minutes.platform = broadcasts.platform and minutes.stream_id = broadcasts.stream_id
    inner join streams
        on broadcasts.broadcast_id = streams.broadcast_id and broadcasts.platform = streams.platform
    where {{ is_seen('minutes.event_date') }} and minutes.viewer_seconds is not null
        and minutes.minute_at >= date_trunc('minute', streams.started_at)
),

stream_buckets as (
    -- at least half of the bucket seen: the last minutes of a stream say little about its next half hour
    select
        platform,
        channel_id,
        broadcast_id,
        bucket,
        {{ sum_seconds('viewer_seconds') }} / {{ sum_seconds('observed_seconds') }} / any_value(average_viewers)
            as held_ratio
    from minutes
    group by platform, channel_id, broadcast_id, bucket
    having sum(observed_seconds) >= 60 * {{ bucket }} / 2
),

buckets as (
    select
        platform,
        channel_id,
        bucket,
        count(*) as stream_count,
        -- rounded: the last digits of means depend on the order of rows
        round(avg(held_ratio), 6) as held_ratio,
        round(var_samp(held_ratio), 9) as variance
    from stream_buckets
    group by platform, channel_id, bucket
),

bounded as (
    select
        *,
        held_ratio - {{ half_interval('variance', 'stream_count') }} as held_ratio_low,
        held_ratio + {{ half_interval('variance', 'stream_count') }} as held_ratio_high
    from buckets
),

optima as (
    -- the first bucket that too few hold ends the optimum; the ends of the interval are where its bounds say so
    select
        platform,
        channel_id,
        {{ bucket }} * min(bucket) filter (held_ratio < {{ var('duration_audience_ratio') }}) as optimal_minutes,
        {{ bucket }} * min(bucket) filter (held_ratio_low < {{ var('duration_audience_ratio') }})
            as optimal_minutes_low,
        {{ bucket }} * min(bucket) filter (held_ratio_high < {{ var('duration_audience_ratio') }})
            as optimal_minutes_high
    from bounded
    where stream_count >= {{ var('duration_streams') }} and bucket > 0
    group by platform, channel_id
)

select
    bounded.platform,
    bounded.channel_id,
    {{ bucket }} * bounded.bucket as from_minute,
    bounded.stream_count,
    bounded.held_ratio,
    bounded.held_ratio_low,
    bounded.held_ratio_high,
    optima.optimal_minutes,
    optima.optimal_minutes_low,
    optima.optimal_minutes_high
from bounded
left join optima on bounded.platform = optima.platform and bounded.channel_id = optima.channel_id
