-- files: */latest.json
-- One stream per marathon, named by its folder; it lasts from the first to the last sample, and is seen at the last.
select
    'twitch' as platform,
    split_part(_file, '/', 1) as stream_id,
    'gamesdonequick' as channel_id,
    upper(split_part(stream_id, '_', 2)) || ' ' || split_part(stream_id, '_', 1) as title,
    'en' as language,
    min(time::timestamptz) as started_at,
    max(time::timestamptz) as ended_at,
    max(time::timestamptz) as observed_at
from {file}
group by _file
