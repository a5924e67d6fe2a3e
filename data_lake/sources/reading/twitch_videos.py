"""Videos as Twitch's Helix API gives them, to rows of streams and videos, as SQL.

A table of pieces `pieces`, each a video or a page of them, becomes the temporary table `videos` by `VIDEOS`;
`STREAM_ROWS` and `VIDEO_ROWS` select from it. A stream whose archive was cut into several videos is one stream: it
begins with its first part, ends with its last, and has the views of all.
"""

from __future__ import annotations

from data_lake.sources.base import PROBLEM, ROW, TEXT

# Members of a video that have a column; everything else goes to `extra`.
_MAPPED = ("id", "stream_id", "user_id", "user_login", "user_name", "title", "created_at", "published_at", "language",
           "type", "duration", "view_count")  # fmt: skip

VIDEOS = f"""
create or replace temp table videos as
with elements as (
    select {ROW}, {TEXT} as page, {PROBLEM} as problem,
        case when {PROBLEM} is not null then [null]
            when json_type({TEXT} -> 'data') = 'ARRAY' then ({TEXT} -> '$.data[*]') else [{TEXT}::json] end as held
    from pieces
),
each_video as (select {ROW}, page, problem, unnest(held) as video from elements),
read as (
    select
        {ROW}, problem, coalesce(video::varchar, page) as text, video,
        nullif(video ->> 'id', '') as id,
        nullif(nullif(video ->> 'stream_id', ''), '0') as live_id,
        nullif(video ->> 'user_id', '') as channel_id,
        lower(video ->> 'user_login') as login, video ->> 'user_name' as display_name,
        video ->> 'title' as title, video ->> 'language' as language, coalesce(video ->> 'type', 'archive') as type,
        video ->> 'created_at' as created, video ->> 'published_at' as published,
        video ->> 'view_count' as views, video ->> 'duration' as duration,
        cast(try_cast(created as timestamptz) as timestamp) as created_at,
        cast(try_cast(published as timestamptz) as timestamp) as published_at,
        try_cast(views as bigint) as view_count,
        case when duration <> '' and regexp_full_match(duration, '([0-9]{{1,4}}h)?([0-9]{{1,6}}m)?([0-9]{{1,8}}s)?')
            then 3600::double * coalesce(try_cast(regexp_extract(duration, '([0-9]+)h', 1) as bigint), 0)
            + 60 * coalesce(try_cast(regexp_extract(duration, '([0-9]+)m', 1) as bigint), 0)
            + coalesce(try_cast(regexp_extract(duration, '([0-9]+)s', 1) as bigint), 0) end as seconds
    from each_video
)
select
    * exclude (problem, video, created, published, views),
    nullif(json_merge_patch(video, '{{{", ".join(f'"{key}": null' for key in _MAPPED)}}}')::varchar, '{{}}') as extra,
    coalesce(
        problem,
        case when json_type(video) <> 'OBJECT' then 'is not a video but ' || lower(json_type(video)) end,
        case when id is null then 'id is missing' end,
        case when channel_id is null then 'user_id is missing' end,
        case when created is not null and created_at is null then 'created_at: ''' || created || ''' is not a time' end,
        case when published is not null and published_at is null then
            'published_at: ''' || published || ''' is not a time' end,
        case when duration is not null and seconds is null then
            'duration: ''' || duration || ''' is not like 3h21m33s' end,
        case when views is not null and view_count is null then 'view_count: ''' || views || ''' is not a number' end
    ) as problem
from read
"""

# Parts of one stream in one batch; a page delivered twice repeats a video and adds nothing.
STREAM_ROWS = rf"""
with parts as (
    select * from videos where problem is null and type in ('archive', 'rerun')
    qualify row_number() over (partition by id order by {ROW}) = 1
)
select
    'twitch' as platform,
    coalesce(live_id, 'vod:' || id) as stream_id,
    channel_id,
    arg_min(title, created_at) as title,
    arg_min(language, created_at) as language,
    min(created_at) as started_at,
    cast(min(created_at) as date) as started_date,
    max(created_at + to_microseconds(cast(seconds * 1000000 as bigint))) as ended_at,
    sum(seconds) as duration_seconds,
    coalesce(arg_min(id, created_at), min(id)) as vod_id,
    cast(sum(view_count) as bigint) as vod_view_count,
    bool_and(type = 'rerun' or regexp_matches(coalesce(title, ''), '(?i)\bre-?(run|broadcast)')) as is_rerun,
    case when count(*) = 1 then min(extra)
        else json_object('vod_ids', list(id order by created_at))::varchar end as extra,
    min({ROW}) as {ROW},
    null::varchar as {TEXT},
    null::varchar as {PROBLEM}
from parts group by 1, 2, 3
union all by name
select 'twitch' as platform, channel_id, {ROW}, text as {TEXT}, problem as {PROBLEM}
from videos where problem is not null
order by {ROW}
"""

VIDEO_ROWS = f"""
select
    'twitch' as platform, id as video_id, channel_id, live_id as stream_id, title, type as video_type, language,
    coalesce(videos.published_at, created_at) as published_at,
    cast(coalesce(videos.published_at, created_at) as date) as published_date,
    seconds as duration_seconds, view_count, extra, {ROW}, null::varchar as {TEXT}, null::varchar as {PROBLEM}
from videos where problem is null and type not in ('archive', 'rerun')
order by {ROW}
"""
