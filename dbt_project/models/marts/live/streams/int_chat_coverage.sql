{{ config(materialized='incremental', incremental_strategy='replace_window', on_schema_change='fail', tags=['daily']) }}

with recorded as (
    -- distinct: a day of a stream has many messages
    select distinct event_date, platform, stream_id, source from {{ ref('fct_chat_messages') }}
    where {{ in_window() }} and stream_id is not null
),

counts as not materialized (
    select event_date, platform, channel_id, stream_id, observed_at from {{ ref('stg_chat_counts') }}
    where {{ in_window() }}
),

counted as (
    -- distinct: a day of a stream has many counts
    select distinct event_date, platform, stream_id from {{ with_streams('counts', 'observed_at') }}
    where stream_id is not null
),

captures as (
    select
        captures.event_date, captures.platform, ids.stream_id, captures.source,
        captures.covered_from, captures.covered_to, coalesce(captures.is_complete, false) as is_complete
    from {{ ref('stg_chat_captures') }} as captures
    inner join {{ ref('int_stream_ids') }} as ids
        on captures.platform = ids.platform and captures.stream_id = ids.source_stream_id
    where {{ in_window('captures.event_date') }}
    union all
    -- of a channel: every stream of it that was live in that time
    select
        captures.event_date, captures.platform, streams.stream_id, captures.source,
        captures.covered_from, captures.covered_to, false as is_complete
    from {{ ref('stg_chat_captures') }} as captures
    left join {{ ref('int_channel_stand_ins') }} as stand_ins
        on captures.platform = stand_ins.platform and captures.channel_id = stand_ins.stand_in_id
    inner join {{ ref('int_streams') }} as streams
        on captures.platform = streams.platform
        and streams.channel_id = coalesce(stand_ins.channel_id, captures.channel_id)
        and captures.covered_from < streams.ended_at
        and captures.covered_to > streams.started_at
    where captures.stream_id is null and {{ in_window('captures.event_date') }}
),

whole_days as (
    -- a source that states nothing of what it covers was there all day
    select event_date, platform, stream_id from recorded
    anti join captures using (event_date, platform, stream_id, source)
    union
    select event_date, platform, stream_id from captures where is_complete
),

counted_days as (
    select event_date, platform, stream_id from counted
    anti join recorded using (event_date, platform, stream_id)
    anti join captures using (event_date, platform, stream_id)
),

numbered as (
    select
        *,
        count_if(begins_stretch) over (
            partition by event_date, platform, stream_id order by covered_from, covered_to
            rows between unbounded preceding and current row
        ) as stretch
    from (
        select
            *,
            coalesce(
                covered_from > max(covered_to) over (
                    partition by event_date, platform, stream_id order by covered_from, covered_to
                    rows between unbounded preceding and 1 preceding
                ),
                true
            ) as begins_stretch
        from captures
        anti join whole_days using (event_date, platform, stream_id)
    )
)

select
    event_date,
    platform,
    stream_id,
    event_date::timestamp as covered_from,
    event_date + interval 1 day as covered_to,
    'measured' as chat_observability
from whole_days
union all
select
    event_date,
    platform,
    stream_id,
    event_date::timestamp as covered_from,
    event_date + interval 1 day as covered_to,
    'platform_reported' as chat_observability
from counted_days
union all
select
    event_date,
    platform,
    stream_id,
    min(covered_from) as covered_from,
    max(covered_to) as covered_to,
    'measured' as chat_observability
from numbered
group by event_date, platform, stream_id, stretch
