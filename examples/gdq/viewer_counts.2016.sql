-- files: 2016_sgdq/sgdq2016final.json
-- A missing v and -1 both mean not observed.
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    split_part(_file, '/', 1) as stream_id,
    epoch_ms(sample.key::bigint) as observed_at,
    case when (sample.value ->> 'v')::bigint >= 0 then sample.value ->> 'v' end as viewer_count
from (select _file, unnest(map_entries((json -> 'data')::map(varchar, json))) as sample from {file})
