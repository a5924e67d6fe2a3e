with broadcasts as (
    select * from {{ ref('int_broadcasts') }}
),

minutes as (
    select * from {{ ref('fct_stream_minutes') }} where {{ is_seen() }}
)

-- across platforms viewers add up in the same aligned minute; the time they were observed does not
select
    broadcasts.broadcast_id,
    minutes.minute_at,
    {{ sum_seconds('minutes.viewer_seconds') }} as viewer_seconds,
    max(minutes.observed_seconds) as observed_seconds,
    sum(minutes.peak_viewers)::bigint as viewer_count,
    -- a platform observed for half of the minute counts with its average, not with half of it
    sum((minutes.viewer_seconds / nullif(minutes.observed_seconds, 0))::decimal(18, 6))::double as average_viewers,
    sum(minutes.message_count)::bigint as message_count,
    sum(minutes.message_count - coalesce(minutes.bot_message_count, 0))::bigint as human_message_count,
    -- where chat and viewers were both observed, for rates
    sum(minutes.message_count - coalesce(minutes.bot_message_count, 0))
        filter (minutes.chat_covered_seconds > 0 and minutes.observed_seconds > 0)::bigint as rated_message_count,
    {{ sum_seconds('(minutes.viewer_seconds * minutes.chat_coverage_ratio)') }} as chat_viewer_seconds
from minutes
inner join broadcasts
    on minutes.platform = broadcasts.platform and minutes.stream_id = broadcasts.stream_id
group by broadcasts.broadcast_id, minutes.minute_at
