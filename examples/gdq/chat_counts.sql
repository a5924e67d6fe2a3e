-- files: */latest.json
-- c and e count the messages and emotes of the minute; -1 means not observed.
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    split_part(_file, '/', 1) as stream_id,
    time as observed_at,
    case when c >= 0 then c end as message_count,
    case when e >= 0 then e end as emote_count
from {file}
