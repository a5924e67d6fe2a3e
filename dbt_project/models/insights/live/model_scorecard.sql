with versions as (
    select * from {{ source('predictions', 'model_versions') }} where {{ is_seen('as_of_date') }}
),

scores as (
    select * from {{ source('predictions', 'model_scores') }} where {{ is_seen('window_to') }}
),

final as (
    select
        scores.model_name,
        scores.model_version,
        scores.as_of_date,
        versions.as_of_date as trained_as_of_date,
        versions.model_kind,
        versions.data_from,
        versions.data_end,
        versions.training_row_count,
        versions.is_gate_passed,
        versions.gate_message,
        scores.basis,
        scores.slice_name,
        scores.metric,
        scores.value,
        scores.value_low,
        scores.value_high,
        scores.baseline_name,
        scores.baseline_value,
        scores.row_count,
        scores.base_rate,
        scores.window_from,
        scores.window_to,
        versions.run_id,
        versions.git_commit
    from scores
    inner join versions
        on scores.model_name = versions.model_name and scores.model_version = versions.model_version
)

select
    model_name,
    model_version,
    as_of_date,
    trained_as_of_date,
    model_kind,
    data_from,
    data_end,
    training_row_count,
    is_gate_passed,
    gate_message,
    basis,
    slice_name,
    metric,
    value,
    value_low,
    value_high,
    baseline_name,
    baseline_value,
    row_count,
    base_rate,
    window_from,
    window_to,
    run_id,
    git_commit
from final
