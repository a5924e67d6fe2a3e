-- files: latest/subscribers.csv
-- The last of several counts of a day holds; a channel with 0 or 1 subscribers and no views was not reached: not observed.
select
    'youtube' as platform,
    member_id as channel_id,
    member_name as display_name,
    'ko' as language,
    case when total_views > 0 then subscriber_count end as subscriber_count,
    nullif(total_views, 0) as total_view_count,
    date as observed_at
from {file}
qualify row_number() over (partition by member_id, date order by _row desc) = 1
