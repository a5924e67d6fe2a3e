with scored as (
    select * from {{ source('predictions', 'viewer_churn') }} where {{ is_seen('as_of_date') }}
),

latest as (
    select * from scored where status = 'ok' qualify as_of_date = max(as_of_date) over ()
),

names as (
    select platform, viewer_id, login, display_name from {{ ref('dim_viewers') }}
),

ties as (
    select creator_id, platform, viewer_id, loyalty_tier, lifecycle_state from {{ ref('dim_creator_viewers') }}
),

final as (
    select
        latest.as_of_date,
        latest.creator_id,
        latest.platform,
        latest.viewer_id,
        coalesce(names.display_name, names.login) as viewer_name,
        ties.loyalty_tier,
        ties.lifecycle_state,
        latest.churn_probability,
        latest.probability_low as churn_probability_low,
        latest.probability_high as churn_probability_high,
        latest.reasons,
        latest.evidence_date,
        latest.model_version,
        row_number() over (
            partition by latest.creator_id order by latest.churn_probability desc, latest.platform, latest.viewer_id
        ) as risk_rank
    from latest
    left join names on latest.platform = names.platform and latest.viewer_id = names.viewer_id
    left join ties
        on latest.creator_id = ties.creator_id
        and latest.platform = ties.platform
        and latest.viewer_id = ties.viewer_id
    where latest.is_at_risk
)

select
    as_of_date,
    creator_id,
    platform,
    viewer_id,
    viewer_name,
    loyalty_tier,
    lifecycle_state,
    churn_probability,
    churn_probability_low,
    churn_probability_high,
    reasons,
    evidence_date,
    model_version,
    risk_rank
from final
