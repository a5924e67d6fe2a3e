{#
  What feat_viewers holds as of the cut-offs of `dates`, a query with as_of_date and cut_off_at: one way to compute what
  is trained on, what is served, and what the audit computes again.
#}
{% macro viewer_features(dates) %}
with as_of as (
    {{ dates }}
),

streams as (
    select * from {{ ref('int_channel_streams') }}
),

-- who is who, and who is a bot, by what was known at the cut-off

snapshots as (
    select platform, viewer_id, login, observed_at from {{ ref('stg_viewers') }}
),

logins as (
    -- a login can change hands: one row per change of the account that has it
    select
        platform,
        'login:' || login as stand_in_id,
        observed_at,
        max(viewer_id) as native_viewer_id
    from snapshots
    where login is not null and {{ is_native('viewer_id') }}
    group by platform, login, observed_at
    qualify lag(max(viewer_id)) over (partition by platform, login order by observed_at)
        is distinct from max(viewer_id)
),

accounts as (
    select as_of_date, platform, stand_in_id, native_viewer_id
    from {{ latest_before_as_of('logins', 'observed_at', ['platform', 'stand_in_id']) }}
),

bots as (
    select * from {{ ref('int_bot_accounts') }}
),

-- what happened, one row per day or stream

viewer_days as (
    {{ creator_viewer_days(since="select min(as_of_date) - 90 from as_of") }}
),

attended as (
    -- a stream lasts 30 days at most: who came to it before is still known
    {{ attended_streams(since="select min(as_of_date) - 125 from as_of") }}
),

-- the whole history, as running totals

histories as (
    select * from {{ ref('int_viewer_histories') }}
),

lifetimes as (
    select
        totals.as_of_date,
        totals.cut_off_at,
        totals.creator_id,
        totals.platform,
        {{ account_of('totals') }} as viewer_id,
        min(totals.first_activity_at) as first_activity_at,
        max(totals.last_activity_at) as last_activity_at,
        sum(totals.active_day_count)::bigint as active_day_count,
        sum(totals.message_count)::bigint as message_count,
        sum(totals.event_count)::bigint as event_count,
        sum(totals.attended_stream_count)::bigint as attended_stream_count,
        sum(totals.gap_count)::bigint as gap_count,
        sum(totals.gap_day_sum)::bigint as gap_day_sum,
        sum(totals.gap_day_square_sum)::bigint as gap_day_square_sum,
        max(totals.subscribed_month_count) as subscribed_month_count,
        max(totals.subscribed_at) as subscribed_at,
        sum(totals.gift_count)::bigint as gift_count,
        sum(totals.donation_count)::bigint as donation_count,
        sum(totals.donation_usd)::double as donation_usd,
        bool_or(coalesce({{ is_before_cut_off('bots.known_date') }}, false)) as is_bot
    from {{ latest_before_as_of('histories', 'event_date', replaced_at='next_event_date') }} as totals
    {{ join_accounts('totals') }}
    left join bots on totals.platform = bots.platform and totals.viewer_id = bots.viewer_id
    group by 1, 2, 3, 4, 5
    -- the rest is gone for good: all their windows are empty
    having max(totals.event_date) > totals.as_of_date - 90
),

-- the last days before the cut-off

recent_days as (
    -- one row per viewer and day, whatever names they had on it
    select
        days.as_of_date,
        days.cut_off_at,
        days.creator_id,
        days.platform,
        {{ account_of('days') }} as viewer_id,
        days.event_date,
        sum(days.message_count) as message_count,
        sum(days.event_count) as event_count
    from {{ before_as_of('viewer_days', 'event_date', 90) }} as days
    {{ join_accounts('days') }}
    group by 1, 2, 3, 4, 5, 6
),

recent as (
    select
        as_of_date,
        creator_id,
        platform,
        viewer_id,
        {%- for days in [7, 28, 90] %}
        count(*) filter ({{ is_before_cut_off('event_date', days) }}) as active_day_count_{{ days }}d,
        coalesce(sum(message_count) filter ({{ is_before_cut_off('event_date', days) }}), 0)::bigint
            as message_count_{{ days }}d,
        coalesce(sum(event_count) filter ({{ is_before_cut_off('event_date', days) }}), 0)::bigint
            as event_count_{{ days }}d
            {{- "," if not loop.last }}
        {%- endfor %}
    from recent_days
    group by 1, 2, 3, 4
),

recent_attended as (
    -- one row per viewer and stream
    select
        attended.as_of_date,
        attended.cut_off_at,
        attended.creator_id,
        attended.platform,
        {{ account_of('attended') }} as viewer_id,
        attended.stream_id,
        min(attended.first_on_air_date) as first_on_air_date
    from {{ before_as_of('attended', 'event_date', 90) }} as attended
    {{ join_accounts('attended') }}
    group by 1, 2, 3, 4, 5, 6
),

recent_streams as (
    select
        as_of_date,
        creator_id,
        platform,
        viewer_id,
        {%- for days in [7, 28, 56, 90] %}
        count(*) filter ({{ is_before_cut_off('first_on_air_date', days) }}) as attended_stream_count_{{ days }}d
            {{- "," if not loop.last }}
        {%- endfor %}
    from recent_attended
    group by 1, 2, 3, 4
),

-- what there was to attend

exposure as (
    select
        as_of_date,
        creator_id,
        platform,
        {%- for days in [7, 28, 56, 90] %}
        count(*) filter ({{ is_before_cut_off('first_on_air_date', days) }}) as on_air_stream_count_{{ days }}d
            {{- "," if not loop.last }}
        {%- endfor %}
    from {{ before_as_of('streams', 'first_on_air_date', 90) }}
    group by 1, 2, 3
),

air_days as (
    select creator_id, platform, event_date, stream_start_count from {{ ref('int_air_days') }}
),

air_since as (
    select
        as_of_date,
        creator_id,
        platform,
        event_date as after_date,
        count(*) filter (stream_start_count > 0) over later as air_day_count,
        sum(stream_start_count) over later as stream_count
    from {{ before_as_of('air_days', 'event_date', 90) }}
    window later as (
        partition by as_of_date, creator_id, platform order by event_date desc
        rows between unbounded preceding and current row
    )
),

reach as (
    select as_of_date, platform, viewer_id, count(*) as creator_count_90d
    from recent
    group by 1, 2, 3
),

joined as (
    select
        lifetimes.*,
        (epoch_us(lifetimes.cut_off_at) - epoch_us(lifetimes.first_activity_at)) / 86400000000.0
            as tenure_days,
        (epoch_us(lifetimes.cut_off_at) - epoch_us(lifetimes.last_activity_at)) / 86400000000.0
            as recency_days,
        lifetimes.gap_day_sum / nullif(lifetimes.gap_count, 0) as mean_gap_days,
        -- whole numbers up to the root: the same bytes in any order of rows
        case
            when lifetimes.gap_count >= 2
                then sqrt(
                    (lifetimes.gap_count * lifetimes.gap_day_square_sum - lifetimes.gap_day_sum * lifetimes.gap_day_sum)
                    / (lifetimes.gap_count * (lifetimes.gap_count - 1))
                )
        end as stddev_gap_days,
        {%- for days in [7, 28, 90] %}
        coalesce(recent.active_day_count_{{ days }}d, 0) as active_day_count_{{ days }}d,
        coalesce(recent.message_count_{{ days }}d, 0) as message_count_{{ days }}d,
        coalesce(recent.event_count_{{ days }}d, 0) as event_count_{{ days }}d,
        {%- endfor %}
        {%- for days in [7, 28, 56, 90] %}
        coalesce(recent_streams.attended_stream_count_{{ days }}d, 0) as attended_stream_count_{{ days }}d,
        coalesce(exposure.on_air_stream_count_{{ days }}d, 0) as on_air_stream_count_{{ days }}d,
        {%- endfor %}
        coalesce(air_since.stream_count, 0)::bigint as streams_missed,
        coalesce(air_since.air_day_count, 0) as silent_air_days,
        coalesce(reach.creator_count_90d, 1) as creator_count_90d
    from lifetimes
    left join recent using (as_of_date, creator_id, platform, viewer_id)
    left join recent_streams using (as_of_date, creator_id, platform, viewer_id)
    left join exposure using (as_of_date, creator_id, platform)
    left join reach using (as_of_date, platform, viewer_id)
    asof left join air_since
        on lifetimes.as_of_date = air_since.as_of_date
        and lifetimes.creator_id = air_since.creator_id
        and lifetimes.platform = air_since.platform
        and lifetimes.last_activity_at::date < air_since.after_date
    where not lifetimes.is_bot
)

select
    as_of_date,
    creator_id,
    platform,
    viewer_id,
    first_activity_at,
    last_activity_at,
    tenure_days,
    recency_days,
    ln(1 + recency_days) as log_recency,
    streams_missed,
    silent_air_days,
    mean_gap_days,
    stddev_gap_days,
    -- a day's spread at the least: a viewer of every stream must not be late by ten deviations after one more day
    case when gap_count >= {{ var('cadence_min_gaps') }}
        then (recency_days - mean_gap_days) / greatest(stddev_gap_days, 1)
    end as cadence_z_score,
    {%- for days in [7, 28, 56, 90] %}
    on_air_stream_count_{{ days }}d,
    attended_stream_count_{{ days }}d,
    {%- endfor %}
    {%- for days in [7, 28, 90] %}
    active_day_count_{{ days }}d,
    message_count_{{ days }}d,
    event_count_{{ days }}d,
    {%- endfor %}
    attended_stream_count_28d / nullif(on_air_stream_count_28d, 0) as attendance_ratio_28d,
    attended_stream_count_90d / nullif(on_air_stream_count_90d, 0) as attendance_ratio_90d,
    {%- for short, long in [(7, 28), (28, 90)] %}
    {%- for thing in ['attended_stream', 'message'] %}
    {%- set usual = '((' ~ thing ~ '_count_' ~ long ~ 'd + 0.5) / (on_air_stream_count_' ~ long ~ 'd + 1))' %}
    -- one stream at the usual rate is added to the short window: no streams say nothing, few say little
    case when on_air_stream_count_{{ short }}d > 0
        then ln(({{ thing }}_count_{{ short }}d + {{ usual }}) / ((on_air_stream_count_{{ short }}d + 1) * {{ usual }}))
    end as {{ thing }}_trend_{{ short }}_{{ long }}d,
    {%- endfor %}
    {%- endfor %}
    message_count_28d / nullif(attended_stream_count_28d, 0) as messages_per_stream_28d,
    message_count / nullif(attended_stream_count, 0) as messages_per_stream,
    attended_stream_count,
    active_day_count,
    message_count,
    event_count,
    coalesce(subscribed_month_count, 0) as subscribed_month_count,
    coalesce(subscribed_at >= cut_off_at - interval 31 day, false) as is_recent_subscriber,
    gift_count,
    donation_count,
    donation_usd,
    creator_count_90d,
    attended_stream_count_56d >= {{ var('churn_min_streams') }} as is_churn_eligible
from joined
{% endmacro %}


{# Whose rows these are: the account that had the login at the cut-off, else the viewer as the source names it. #}
{%- macro join_accounts(rows) -%}
left join accounts
        on {{ rows }}.as_of_date = accounts.as_of_date
        and {{ rows }}.platform = accounts.platform
        and {{ rows }}.viewer_id = accounts.stand_in_id
{%- endmacro -%}


{%- macro account_of(rows) -%}
coalesce(accounts.native_viewer_id, {{ rows }}.viewer_id)
{%- endmacro -%}
