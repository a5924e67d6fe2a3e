{%- set signals = {
    "viewer_spike": {"z": "viewer_robust_z", "observed": "average_viewers", "expected": "expected_viewers"},
    "viewer_dropoff": {"z": "-viewer_robust_z", "observed": "average_viewers", "expected": "expected_viewers"},
    "chat_surge": {"z": "chat_and_bots_robust_z", "observed": "message_count", "expected": "expected_messages"},
} -%}
{%- set limit = var("anomaly_robust_sd") -%}
with outliers as (
    select * from {{ ref('int_stream_outliers') }} where {{ is_seen() }}
),

streams as (
    select
        int_streams.platform,
        int_streams.stream_id,
        int_streams.channel_id,
        int_streams.started_at,
        int_streams.ended_at,
        broadcasts.broadcast_id
    from {{ ref('int_streams') }} as int_streams
    inner join {{ ref('int_broadcasts') }} as broadcasts
        on int_streams.platform = broadcasts.platform and int_streams.stream_id = broadcasts.stream_id
),

arrivals as (
    select
        platform,
        stream_id,
        event_type,
        occurred_at
    from {{ ref('int_stream_events_resolved') }}
    where {{ is_seen() }} and event_type in ('raid', 'host') and stream_id is not null
),

marked as (
    {% for anomaly_type, signal in signals.items() -%}
    select
        '{{ anomaly_type }}' as anomaly_type,
        platform,
        stream_id,
        minute_at,
        {{ signal.z }} as robust_z,
        {{ signal.observed }}::double as observed_value,
        {{ signal.expected }} as expected_value,
        {{ "chat_robust_z > " ~ limit if anomaly_type == "chat_surge" else "true" }} as is_human
    from outliers
    where {{ signal.z }} > {{ limit }}
    union all
    {% endfor -%}
    -- viewers a raid brought stay for a while, which makes them a new level: they are measured against the time before
    select
        'viewer_spike' as anomaly_type,
        outliers.platform,
        outliers.stream_id,
        outliers.minute_at,
        max(outliers.viewer_rise_robust_z) as robust_z,
        any_value(outliers.average_viewers) as observed_value,
        any_value(outliers.viewers_before) as expected_value,
        true as is_human
    from outliers
    inner join arrivals
        on outliers.platform = arrivals.platform
        and outliers.stream_id = arrivals.stream_id
        and outliers.minute_at between date_trunc('minute', arrivals.occurred_at)
            and arrivals.occurred_at + interval ({{ var('arrival_minutes') }}) minute
    where outliers.viewer_rise_robust_z > {{ limit }} and outliers.viewer_robust_z <= {{ limit }}
    group by all
    union all
    select
        'data_hole' as anomaly_type,
        platform,
        stream_id,
        minute_at,
        null as robust_z,
        null as observed_value,
        null as expected_value,
        true as is_human
    from outliers
    where average_viewers is null
),

numbered as (
    select
        *,
        count_if(begins_run) over (partition by platform, stream_id, anomaly_type order by minute_at) as run_number
    from (
        select
            *,
            coalesce(
                minute_at - lag(minute_at) over (partition by platform, stream_id, anomaly_type order by minute_at)
                > interval 2 minute,
                true
            ) as begins_run
        from marked
    )
),

runs as (
    select
        platform,
        stream_id,
        anomaly_type,
        min(minute_at) as started_at,
        max(minute_at) + interval 1 minute as ended_at,
        count(*) as minute_count,
        arg_max(minute_at, (robust_z, -epoch_us(minute_at))) as peak_minute_at,
        max(robust_z) as peak_robust_z,
        arg_max(observed_value, (robust_z, -epoch_us(minute_at))) as observed_value,
        arg_max(expected_value, (robust_z, -epoch_us(minute_at))) as expected_value,
        bool_or(is_human) as is_human
    from numbered
    group by platform, stream_id, anomaly_type, run_number
),

lasting as (
    select * from runs
    where minute_count
        >= case when anomaly_type = 'data_hole' then {{ var('hole_minutes') }} else {{ var('anomaly_minutes') }} end
),

arrived as (
    -- whoever was brought leaves again within the hour
    select
        lasting.platform,
        lasting.stream_id,
        lasting.anomaly_type,
        lasting.started_at,
        arg_max(arrivals.event_type, arrivals.occurred_at) as cause
    from lasting
    inner join arrivals on lasting.platform = arrivals.platform and lasting.stream_id = arrivals.stream_id
    where arrivals.occurred_at < lasting.ended_at
        and arrivals.occurred_at >= lasting.started_at
            - case when lasting.anomaly_type = 'viewer_dropoff' then interval 60 minute else interval 3 minute end
    group by all
),

holes as (
    -- what stands beside unobserved time may be its edge
    select
        lasting.platform,
        lasting.stream_id,
        lasting.anomaly_type,
        lasting.started_at
    from lasting
    inner join runs as hole
        on lasting.platform = hole.platform
        and lasting.stream_id = hole.stream_id
        and hole.anomaly_type = 'data_hole'
        and hole.minute_count >= {{ var('hole_minutes') }}
        and lasting.started_at < hole.ended_at + interval 3 minute
        and lasting.ended_at > hole.started_at - interval 3 minute
    where lasting.anomaly_type <> 'chat_surge'
    group by all
),

final as (
    select
        lasting.*,
        streams.channel_id,
        streams.broadcast_id,
        case
            when lasting.anomaly_type = 'data_hole' then 'hole'
            when arrived.cause is not null then arrived.cause
            when lasting.started_at < streams.started_at + interval ({{ var('start_minutes') }}) minute
                then 'stream_start'
            when lasting.ended_at > streams.ended_at - interval ({{ var('end_minutes') }}) minute
                then 'stream_end'
            when holes.started_at is not null then 'hole'
            when not lasting.is_human then 'bots'
        end as cause
    from lasting
    inner join streams on lasting.platform = streams.platform and lasting.stream_id = streams.stream_id
    left join arrived
        on lasting.platform = arrived.platform
        and lasting.stream_id = arrived.stream_id
        and lasting.anomaly_type = arrived.anomaly_type
        and lasting.started_at = arrived.started_at
    left join holes
        on lasting.platform = holes.platform
        and lasting.stream_id = holes.stream_id
        and lasting.anomaly_type = holes.anomaly_type
        and lasting.started_at = holes.started_at
)

select
    broadcast_id,
    platform,
    channel_id,
    stream_id,
    anomaly_type,
    started_at,
    ended_at,
    minute_count,
    peak_minute_at,
    peak_robust_z,
    observed_value,
    expected_value,
    cause,
    cause is null as is_raised
from final
