-- files: raw_snapshots/*.csv.gz
-- A full snapshot: every stream the channels still offered when the snapshot was committed ({exported_at}, from the sidecar).
-- Chzzk numbers its recordings, so the stream is known by its VOD; the date is Korean and states no time.
select
    'chzzk' as platform,
    'vod:' || video_no as stream_id,
    {exported_at} as observed_at,
    member_id as channel_id,
    title,
    category as category_name,
    'ko' as language,
    date as started_date,
    duration_min * 60 as duration_seconds,
    video_no as vod_id,
    view_count as vod_view_count,
    case when is_collab = 'True' then json_object('collab_members', string_split(collab_members, ',')) end as extra
from {file}
