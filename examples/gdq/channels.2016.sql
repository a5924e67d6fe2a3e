-- files: 2016_sgdq/sgdq2016final.json
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    'gamesdonequick' as login,
    'GamesDoneQuick' as display_name,
    max(epoch_ms(sample.key::bigint)) as observed_at
from (select unnest(map_entries((json -> 'data')::map(varchar, json))) as sample from {file})
