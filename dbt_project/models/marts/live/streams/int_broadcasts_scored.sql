{%- set components = {
    "chat": "score_weight_chat", "chatters": "score_weight_chatters", "events": "score_weight_events",
    "average_to_peak": "score_weight_average_to_peak"
} -%}
with streams as (
    select * from {{ ref('int_broadcasts_summed') }} where started_at is not null
),

earned as (
    select * from {{ ref('int_broadcasts_earned') }}
),

retained as (
    select * from {{ ref('int_broadcasts_retained') }}
),

measured as (
    select
        streams.broadcast_id,
        streams.creator_id,
        streams.started_at,
        streams.rated_message_count / nullif(streams.chat_viewer_hours, 0) as chat,
        streams.unique_chatter_count / nullif(streams.average_viewers, 0) as chatters,
        streams.follow_count + streams.subscription_count + streams.donation_count
            + coalesce(earned.off_platform_donation_count, 0) as participation_count,
        100 * participation_count / nullif(streams.hours_watched, 0) as events,
        retained.average_to_peak_ratio as average_to_peak
    from streams
    left join earned on streams.broadcast_id = earned.broadcast_id
    left join retained on streams.broadcast_id = retained.broadcast_id
),

histories as (
    select
        broadcast_id,
        started_at,
        creator_id,
        count(*) over (
            partition by creator_id order by started_at
            range between interval ({{ var('score_days') }}) day preceding and current row
        ) >= {{ var('score_own_streams') }} as has_own_history
    from measured
),

compared as (
    select
        histories.broadcast_id,
        histories.has_own_history,
        others.broadcast_id = histories.broadcast_id as is_self,
        {% for component in components %}
        own.{{ component }} as own_{{ component }},
        others.{{ component }} as other_{{ component }},
        {% endfor %}
        others.participation_count
    from histories
    inner join measured as own on histories.broadcast_id = own.broadcast_id
    inner join measured as others
        on others.started_at between histories.started_at - interval ({{ var('score_days') }}) day
            and histories.started_at
        and (others.creator_id = histories.creator_id or not histories.has_own_history)
),

ranked as (
    -- share of the other streams of the history below this one, ties for a half; null without another to compare with
    select
        broadcast_id,
        any_value(has_own_history) as has_own_history,
        count(*) as history_stream_count,
        {% for component in components %}
        {%- set both = "not is_self and own_" ~ component ~ " is not null and other_" ~ component ~ " is not null" %}
        any_value(own_{{ component }}) as {{ component }},
        (
            count(*) filter ({{ both }} and other_{{ component }} < own_{{ component }})
            + 0.5 * count(*) filter ({{ both }} and other_{{ component }} = own_{{ component }})
        ) / nullif(count(*) filter ({{ both }}), 0) as {{ component }}_rank,
        {% endfor %}
        -- a history without one follow, subscription or donation was recorded by a tool that does not see them
        sum(participation_count) > 0 as are_events_observed
    from compared
    group by broadcast_id
),

observed as (
    select * replace (case when are_events_observed then events_rank end as events_rank) from ranked
),

weighted as (
    select
        *,
        {% for component, weight in components.items() -%}
        (case when {{ component }}_rank is null then 0 else {{ var(weight) }} end){{ " + " if not loop.last }}
        {%- endfor %} as observed_weight,
        {% for component, weight in components.items() -%}
        coalesce({{ component }}_rank, 0) * {{ var(weight) }}{{ " + " if not loop.last }}
        {%- endfor %} as weighted_rank
    from observed
),

final as (
    select
        weighted.*,
        case when weighted.observed_weight >= 0.5 then 100 * weighted.weighted_rank / weighted.observed_weight end
            as engagement_score,
        least(coalesce(streams.message_count, 0) / 100, 1) * 30
            + least(streams.follow_count / 50, 1) * 30
            + least((streams.donation_count + coalesce(earned.off_platform_donation_count, 0)) / 20, 1) * 20
            + least(greatest(coalesce(earned.revenue_usd, 0), 0) / 500, 1) * 20 as legacy_engagement_score
    from weighted
    inner join streams on weighted.broadcast_id = streams.broadcast_id
    left join earned on weighted.broadcast_id = earned.broadcast_id
)

select
    broadcast_id,
    chat as messages_per_viewer_hour,
    chatters as chatters_per_viewer,
    events as events_per_100_viewer_hours,
    chat_rank as messages_per_viewer_hour_rank_ratio,
    chatters_rank as chatters_per_viewer_rank_ratio,
    events_rank as events_per_100_viewer_hours_rank_ratio,
    average_to_peak_rank as average_to_peak_rank_ratio,
    history_stream_count,
    has_own_history,
    observed_weight::double as observed_weight,
    engagement_score::double as engagement_score,
    legacy_engagement_score::double as legacy_engagement_score
from final
