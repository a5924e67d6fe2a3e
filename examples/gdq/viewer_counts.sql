-- files: */latest.json
-- A sample belongs to the time it states, not to its place in the file: 2017_agdq steps back 36 times in its file, and
-- only by time do its counts run on. A missing v and -1 both mean not observed.
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    split_part(_file, '/', 1) as stream_id,
    time as observed_at,
    case when v >= 0 then v end as viewer_count
from {file}
