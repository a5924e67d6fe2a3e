-- files: */latest.json
-- m (dollars) and d (donations) are totals since the start. A step up of m is what was given in that minute, a step down
-- a correction. Steps are taken in order of time, between minutes that were observed: a missing or negative m (2017_agdq
-- says -1 in three minutes) is no fall to zero. What was given before the first sample is not an event of the stream.
with observed as (
    select
        _row,
        split_part(_file, '/', 1) as stream_id,
        try_cast(time as timestamptz) as occurred_at,
        try_cast(m as decimal(18, 2)) as total,
        try_cast(d as bigint) as donation_total
    from {file}
    where total >= 0
),

steps as (
    select
        *,
        total - lag(total) over by_time as amount,
        donation_total - lag(donation_total) over by_time as donation_count
    from observed
    window by_time as (order by occurred_at, _row)
)

select
    _row,
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    stream_id,
    occurred_at,
    case when amount > 0 then 'donation' else 'donation_correction' end as event_type,
    amount,
    'USD' as currency,
    json_object('donation_count', donation_count) as extra
from steps
where amount <> 0
