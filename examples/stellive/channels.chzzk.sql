-- files: latest/followers.csv
-- Followers once a day. Of several counts of a day the last one holds; 0 is from before counting began: not observed.
select
    'chzzk' as platform,
    member_id as channel_id,
    member_name as display_name,
    'ko' as language,
    nullif(follower_count, 0) as follower_count,
    date as observed_at
from {file}
qualify row_number() over (partition by member_id, date order by _row desc) = 1
