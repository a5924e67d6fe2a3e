-- files: */latest.json
select
    'twitch' as platform,
    'gamesdonequick' as channel_id,
    'gamesdonequick' as login,
    'GamesDoneQuick' as display_name,
    max(time::timestamptz) as observed_at
from {file}
