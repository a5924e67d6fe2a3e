-- files: latest/videos.csv
-- The file does not say when the counts were read: seen, at the earliest, on the day of its latest video.
select
    'youtube' as platform,
    video_id,
    max(date_trunc('day', published_at::timestamp)) over () as observed_at,
    member_id as channel_id,
    title,
    'upload' as video_type,
    category_id,
    'ko' as language,
    published_at as published_date,
    view_count,
    like_count,
    json_object('is_music', is_music = 'True') as extra
from {file}
