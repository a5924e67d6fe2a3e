-- files: latest/subscribers.csv
-- Each member streams on Chzzk and publishes on YouTube, in Korean time.
select
    member_id as creator_id,
    unnest(['chzzk', 'youtube']) as platform,
    member_id as channel_id,
    member_name as creator_name,
    'Asia/Seoul' as time_zone,
    date as observed_at
from {file}
qualify row_number() over (partition by member_id, date order by _row desc) = 1
