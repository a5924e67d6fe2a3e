-- files: 2016_sgdq/sgdq2016final.json
-- As in gdq/stream_events.sql: steps of the running total between minutes that were observed.
with observed as (
    select
        split_part(_file, '/', 1) as stream_id,
        epoch_ms(sample.key::bigint) as occurred_at,
        (sample.value ->> 'm')::decimal(18, 2) as total,
        (sample.value ->> 'd')::bigint as donation_total
    from (select _file, unnest(map_entries((json -> 'data')::map(varchar, json))) as sample from {file})
    where total >= 0
),

steps as (
    select
        *,
        total - lag(total) over by_time as amount,
        donation_total - lag(donation_total) over by_time as donation_count
    from observed
    window by_time as (order by occurred_at)
)

select
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
