-- files: 2016_sgdq/sgdq2016final.json
-- The file is one object: `data` and `extras` by epoch milliseconds, `games` by start. {file} then has one column, `json`.
select
    'twitch' as platform,
    split_part(_file, '/', 1) as stream_id,
    'gamesdonequick' as channel_id,
    'SGDQ 2016' as title,
    'en' as language,
    min(epoch_ms(sample.key::bigint)) as started_at,
    max(epoch_ms(sample.key::bigint)) as ended_at,
    max(epoch_ms(sample.key::bigint)) as observed_at
from (select _file, unnest(map_entries((json -> 'data')::map(varchar, json))) as sample from {file})
group by _file
