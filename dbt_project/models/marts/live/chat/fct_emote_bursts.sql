{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}
{%- set trailing = var("burst_trailing_minutes") %}

with starts as (
    -- the rate is over the minutes there were: chat that begins is no burst. The first window of the day and the day
    -- before, so that a day's rows depend on no others
    select
        platform,
        stream_id,
        target_date,
        min(window_at) as first_window_at
    from (
        select
            platform,
            stream_id,
            window_at,
            unnest([event_date, event_date + 1]) as target_date
        from {{ ref('int_chat_windows') }}
        where {{ in_window(pad=1) }} and stream_id is not null
    )
    group by platform, stream_id, target_date
),

uses as (
    select
        platform,
        channel_id,
        stream_id,
        emote_name,
        provider,
        {{ chat_window('sent_at') }} as window_at,
        sum(use_count)::bigint as use_count,
        count(distinct viewer_id) as chatter_count
    from {{ ref('int_chat_emotes') }}
    where {{ in_window(pad=1) }} and stream_id is not null
    group by all
),

trailed as (
    select
        uses.*,
        coalesce(sum(uses.use_count) over (
            partition by uses.platform, uses.stream_id, uses.emote_name, uses.provider order by uses.window_at
            range between interval ({{ trailing }}) minute preceding and interval 30 second preceding
        ), 0)::bigint as trailing_use_count,
        least({{ 2 * trailing }}, epoch(uses.window_at - starts.first_window_at) / 30) as trailing_window_count
    from uses
    inner join starts
        on uses.platform = starts.platform
        and uses.stream_id = starts.stream_id
        and uses.window_at::date = starts.target_date
),

rated as (
    -- the rate as a Gamma distribution after these windows, begun at half a use in one window: its predictive count is
    -- negative binomial. Chat comes in clumps, so the shape is held below var burst_shape.
    select
        *,
        (trailing_use_count + 0.5) / (trailing_window_count + 1) as expected_use_count,
        least(trailing_use_count + 0.5, {{ var('burst_shape') }})::double as shape,
        count(*) over (partition by platform, channel_id, window_at::date) as tested_count
    from trailed
    where {{ in_window('window_at::date') }}
),

candidates as (
    select
        *,
        {{ negative_binomial_tail('use_count', 'expected_use_count', 'shape') }} as p_value
    from rated
    where use_count >= {{ var('burst_uses') }}
        and chatter_count >= {{ var('burst_chatters') }}
        -- two minutes at least, before which there is no rate to speak of
        and trailing_window_count >= 4
),

ranked as (
    select
        *,
        row_number() over (
            partition by platform, channel_id, window_at::date
            order by p_value, window_at, stream_id, emote_name, provider
        ) as place
    from candidates
),

adjusted as (
    -- Benjamini and Hochberg, Controlling the False Discovery Rate, 1995; over all emotes and windows of the day
    select
        *,
        least(1, min(p_value * tested_count / place) over (
            partition by platform, channel_id, window_at::date order by place
            rows between current row and unbounded following
        )) as false_discovery_rate
    from ranked
)

select
    window_at::date as event_date,
    platform,
    channel_id,
    stream_id,
    window_at,
    emote_name,
    provider,
    use_count,
    chatter_count,
    trailing_use_count,
    expected_use_count,
    p_value,
    false_discovery_rate
from adjusted
where false_discovery_rate <= {{ var('burst_false_discovery_rate') }}
