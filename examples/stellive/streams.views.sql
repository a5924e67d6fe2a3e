-- files: vod_views_snapshots.csv.gz
-- A snapshot of nothing but view counts: every other column stays null, which says "not seen" and not "empty". The
-- commits left out are the 14 full snapshots of raw_snapshots/: one moment is one snapshot.
select
    'chzzk' as platform,
    'vod:' || video_no as stream_id,
    snapshot_at as observed_at,
    video_no as vod_id,
    view_count as vod_view_count
from {file}
where left(snapshot_commit, 8) not in (
    '596a76ca', 'd8aac812', '201a90c3', '1ade0578', 'be550c4e', '82a8e007', 'ae27db45',
    '19fd2d6d', '32996d71', '60d6e95e', '1485a6bb', 'c47b9fba', 'a46972b8', '723949af'
)
