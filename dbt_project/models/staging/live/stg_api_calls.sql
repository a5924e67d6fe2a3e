with source as (
    {{ event_rows('api_calls', ['platform', 'call_id']) }}
),

renamed as (
    select
        event_date,
        platform,
        call_id,
        requested_at,
        endpoint,
        method,
        channel_id,
        status,
        response_ms,
        quota_cost,
        quota_remaining,
        retry_count,
        error,
        source,
        landing_file,
        extracted_at,
        extra
    from source
)

select
    event_date,
    platform,
    call_id,
    requested_at,
    endpoint,
    method,
    channel_id,
    status,
    response_ms,
    quota_cost,
    quota_remaining,
    retry_count,
    error,
    source,
    landing_file,
    extracted_at,
    extra
from renamed
