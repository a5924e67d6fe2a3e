with forecasts as (
    select * from {{ source('predictions', 'channel_forecasts') }} where {{ is_seen('as_of_date') }}
),

latest as (
    select * from forecasts qualify as_of_date = max(as_of_date) over ()
)

select
    as_of_date,
    creator_id,
    platform,
    channel_id,
    metric,
    scenario,
    target_date,
    horizon_days,
    value,
    value_low,
    value_high,
    status,
    method,
    reason,
    backtest_error_ratio,
    backtest_coverage_ratio,
    model_version
from latest
