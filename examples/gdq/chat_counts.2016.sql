-- files: 2016_sgdq/sgdq2016final.json
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    split_part(_file, '/', 1) as stream_id,
    epoch_ms(sample.key::bigint) as observed_at,
    case when (sample.value ->> 'c')::bigint >= 0 then sample.value ->> 'c' end as message_count,
    case when (sample.value ->> 'e')::bigint >= 0 then sample.value ->> 'e' end as emote_count
from (select _file, unnest(map_entries((json -> 'extras')::map(varchar, json))) as sample from {file})
