-- files: 2016_sgdq/sgdq2016final.json
select
    'twitch' as platform,
    split_part(_file, '/', 1) as stream_id,
    epoch_ms(run.key::bigint) as segment_started_at,
    epoch_ms(run.key::bigint) + (run.value ->> 'duration')::interval as segment_ended_at,
    run.value ->> 'title' as category_name,
    run.value ->> 'title' as title,
    json_object('runners', run.value ->> 'runner') as extra,
    max(epoch_ms(run.key::bigint) + (run.value ->> 'duration')::interval) over () as observed_at
from (select _file, unnest(map_entries((json -> 'games')::map(varchar, json))) as run from {file})
