with weeks as (
    select * from {{ source('predictions', 'topic_weeks') }} where {{ is_seen('as_of_date') }}
),

topics as (
    select * from {{ source('predictions', 'topics') }} where {{ is_seen('as_of_date') }}
),

latest as (
    select * from weeks qualify as_of_date = max(as_of_date) over (partition by creator_id)
),

final as (
    select
        latest.as_of_date,
        latest.creator_id,
        latest.topic_id,
        topics.topic_name,
        topics.terms,
        latest.week_date,
        latest.share,
        latest.minute_count,
        latest.share - avg(latest.share) over (
            partition by latest.creator_id, latest.topic_id order by latest.week_date
            rows between 4 preceding and 1 preceding
        ) as share_change,
        topics.chat_effect,
        topics.chat_effect_low,
        topics.chat_effect_high,
        topics.coherence,
        latest.model_version
    from latest
    inner join topics
        on latest.as_of_date = topics.as_of_date
        and latest.creator_id = topics.creator_id
        and latest.topic_id = topics.topic_id
)

select
    as_of_date,
    creator_id,
    topic_id,
    topic_name,
    terms,
    week_date,
    share,
    minute_count,
    share_change,
    chat_effect,
    chat_effect_low,
    chat_effect_high,
    coherence,
    model_version
from final
