with switches as (
    select platform, stream_id, unnest(platform_started_ats) as switched_at, true as is_on
    from {{ ref('int_stream_activity') }}
    where {{ is_seen() }}
    union all
    select platform, stream_id, unnest(platform_stopped_ats) as switched_at, false as is_on
    from {{ ref('int_stream_activity') }}
    where {{ is_seen() }}
),

ordered as (
    select
        *,
        lag(is_on) over stream as was_on,
        min(switched_at) filter (not is_on) over (
            partition by platform, stream_id order by switched_at, is_on desc
            rows between 1 following and unbounded following
        ) as next_stopped_at
    from switches
    where stream_id is not null
    window stream as (partition by platform, stream_id order by switched_at, is_on desc)
)

select
    platform,
    stream_id,
    case when is_on then switched_at else '-infinity'::timestamp end as on_air_from,
    case when is_on then coalesce(next_stopped_at, 'infinity'::timestamp) else switched_at end as on_air_until
from ordered
-- a start while on air adds nothing; a stop that nothing started ends what began before the records did
where (is_on and not coalesce(was_on, false)) or (not is_on and was_on is null)
