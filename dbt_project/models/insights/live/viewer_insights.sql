with ties as (
    select * from {{ ref('dim_creator_viewers') }}
),

scored as (
    select * from {{ source('predictions', 'viewer_churn') }} where {{ is_seen('as_of_date') }}
),

churn as (
    select * from scored qualify as_of_date = max(as_of_date) over ()
),

interests as (
    select * from {{ source('predictions', 'topic_viewers') }} where {{ is_seen('as_of_date') }}
),

topics as (
    select * from {{ source('predictions', 'topics') }} where {{ is_seen('as_of_date') }}
),

favourites as (
    select
        interests.creator_id,
        interests.platform,
        interests.viewer_id,
        topics.topic_name as favourite_topic_name,
        interests.share as favourite_topic_share
    from (select * from interests qualify as_of_date = max(as_of_date) over ()) as interests
    inner join topics
        on interests.as_of_date = topics.as_of_date
        and interests.creator_id = topics.creator_id
        and interests.topic_id = topics.topic_id
    qualify row_number() over (
        partition by interests.creator_id, interests.platform, interests.viewer_id
        order by interests.share desc, interests.topic_id
    ) = 1
),

final as (
    select
        ties.creator_id,
        ties.platform,
        ties.viewer_id,
        ties.loyalty_tier,
        ties.lifecycle_state,
        ties.chat_frequency,
        ties.engagement_score,
        churn.as_of_date as predicted_as_of_date,
        coalesce(churn.status, 'not_scored') as churn_status,
        churn.churn_probability,
        churn.probability_low as churn_probability_low,
        churn.probability_high as churn_probability_high,
        churn.is_at_risk,
        churn.reasons as churn_reasons,
        churn.model_version as churn_model_version,
        favourites.favourite_topic_name,
        favourites.favourite_topic_share
    from ties
    left join churn
        on ties.creator_id = churn.creator_id
        and ties.platform = churn.platform
        and ties.viewer_id = churn.viewer_id
    left join favourites
        on ties.creator_id = favourites.creator_id
        and ties.platform = favourites.platform
        and ties.viewer_id = favourites.viewer_id
)

select
    creator_id,
    platform,
    viewer_id,
    loyalty_tier,
    lifecycle_state,
    chat_frequency,
    engagement_score,
    predicted_as_of_date,
    churn_status,
    churn_probability,
    churn_probability_low,
    churn_probability_high,
    is_at_risk,
    churn_reasons,
    churn_model_version,
    favourite_topic_name,
    favourite_topic_share
from final
