{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}
{%- set reach = var("anomaly_baseline_minutes") %}

-- Rows of a day depend on the day before and the day after, on nothing farther: gaps are bridged up to a day, noise is
-- measured over the day and half a day on either side.
with minutes as (
    select * from {{ ref('fct_stream_minutes') }} where {{ in_window(pad=1) }}
),

bridged as (
    -- every minute between the first and the last, also those that nothing was recorded in
    select
        platform,
        stream_id,
        unnest(range(
            minute_at,
            case
                when next_minute_at <= minute_at + interval 1 day then next_minute_at
                else minute_at + interval 1 minute
            end,
            interval 1 minute
        )) as minute_at
    from (
        select
            platform,
            stream_id,
            minute_at,
            lead(minute_at, 1, minute_at + interval 1 minute) over (
                partition by platform, stream_id order by minute_at
            ) as next_minute_at
        from minutes
    )
),

covered as (
    select
        bridged.platform,
        bridged.stream_id,
        bridged.minute_at
    from bridged
    inner join {{ ref('int_chat_coverage') }} as coverage
        on bridged.platform = coverage.platform
        and bridged.stream_id = coverage.stream_id
        and bridged.minute_at::date = coverage.event_date
        and bridged.minute_at < coverage.covered_to
        and bridged.minute_at + interval 1 minute > coverage.covered_from
    where {{ in_window('coverage.event_date', pad=1) }}
    group by all
),

signals as (
    select
        bridged.platform,
        bridged.stream_id,
        bridged.minute_at,
        minutes.average_viewers,
        coalesce(
            minutes.message_count - coalesce(minutes.bot_message_count, 0),
            case when covered.platform is not null then 0 end
        ) as human_message_count,
        coalesce(minutes.message_count, case when covered.platform is not null then 0 end) as message_count
    from bridged
    left join minutes
        on bridged.platform = minutes.platform
        and bridged.stream_id = minutes.stream_id
        and bridged.minute_at = minutes.minute_at
    left join covered
        on bridged.platform = covered.platform
        and bridged.stream_id = covered.stream_id
        and bridged.minute_at = covered.minute_at
),

smoothed as (
    select
        *,
        -- viewers change by shares: logarithms. Chat is counted: twice the square root makes a count's own noise 1
        -- (Anscombe, The Transformation of Poisson, Binomial and Negative-Binomial Data, 1948)
        case when average_viewers is not null then ln(greatest(average_viewers, 0.5)) end as viewer_signal,
        2 * sqrt(sum(human_message_count) over around + 0.375) as chat_signal,
        2 * sqrt(sum(message_count) over around + 0.375) as chat_and_bots_signal
    from signals
    window around as (
        partition by platform, stream_id order by minute_at
        range between interval 1 minute preceding and interval 1 minute following
    )
),

baselines as (
    select
        *,
        median(viewer_signal) over before as viewers_before,
        median(viewer_signal) over after as viewers_after,
        median(chat_signal) over before as chat_before,
        median(chat_signal) over after as chat_after
    from smoothed
    window
        before as (
            partition by platform, stream_id order by minute_at
            range between interval ({{ reach }}) minute preceding and interval 1 minute preceding
        ),
        after as (
            partition by platform, stream_id order by minute_at
            range between interval 1 minute following and interval ({{ reach }}) minute following
        )
),

expected as (
    select
        *,
        {{ expected_between('viewer_signal', 'viewers_before', 'viewers_after') }} as expected_viewer_signal,
        {{ expected_between('chat_signal', 'chat_before', 'chat_after') }} as expected_chat_signal,
        viewer_signal - (coalesce(viewers_before, viewers_after) + coalesce(viewers_after, viewers_before)) / 2
            as viewer_deviation,
        chat_signal - (coalesce(chat_before, chat_after) + coalesce(chat_after, chat_before)) / 2 as chat_deviation
    from baselines
),

noise as (
    select
        platform,
        stream_id,
        target_date,
        {{ robust_sd('viewer_deviation') }} as viewer_sd,
        {{ robust_sd('chat_deviation') }} as chat_sd
    from (
        select
            platform,
            stream_id,
            viewer_deviation,
            chat_deviation,
            unnest([(minute_at - interval 12 hour)::date, (minute_at + interval 12 hour)::date]) as target_date
        from expected
    )
    group by platform, stream_id, target_date
),

final as (
    select
        expected.minute_at::date as event_date,
        expected.platform,
        expected.stream_id,
        expected.minute_at,
        expected.average_viewers,
        exp(expected.expected_viewer_signal) as expected_viewers,
        -- a stream of few viewers moves in whole viewers: one of them is the least that noise can be
        (expected.viewer_signal - expected.expected_viewer_signal)
            / greatest(coalesce(noise.viewer_sd, 0), exp(-expected.expected_viewer_signal), 0.01) as viewer_robust_z,
        -- against the time before alone: what an arrival brings and what stays of it
        exp(expected.viewers_before) as viewers_before,
        (expected.viewer_signal - expected.viewers_before)
            / greatest(coalesce(noise.viewer_sd, 0), exp(-expected.viewers_before), 0.01) as viewer_rise_robust_z,
        expected.message_count,
        greatest(expected.expected_chat_signal * expected.expected_chat_signal / 4 - 0.375, 0) / 3 as expected_messages,
        (expected.chat_signal - expected.expected_chat_signal) / greatest(coalesce(noise.chat_sd, 0), 1)
            as chat_robust_z,
        (expected.chat_and_bots_signal - expected.expected_chat_signal) / greatest(coalesce(noise.chat_sd, 0), 1)
            as chat_and_bots_robust_z
    from expected
    inner join noise
        on expected.platform = noise.platform
        and expected.stream_id = noise.stream_id
        and expected.minute_at::date = noise.target_date
    where {{ in_window('expected.minute_at::date') }}
)

select
    event_date,
    platform,
    stream_id,
    minute_at,
    average_viewers,
    expected_viewers,
    viewer_robust_z,
    viewers_before,
    viewer_rise_robust_z,
    message_count,
    expected_messages,
    chat_robust_z,
    chat_and_bots_robust_z
from final
where average_viewers is null
    or abs(viewer_robust_z) > {{ var('anomaly_robust_sd') }}
    or viewer_rise_robust_z > {{ var('anomaly_robust_sd') }}
    or chat_and_bots_robust_z > {{ var('anomaly_robust_sd') }}
