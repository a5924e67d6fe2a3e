"""Pages of the Twitch Helix API's `GET /videos`: the archives of streams, uploads and highlights.

A page `{"data": [...], "pagination": {...}}`, several of them (one per line, or in an array), or the bare array of
videos. An archive is a snapshot of its stream; anything else is a snapshot of a video. A stream whose archive was cut
into several videos is one stream: it begins with its first part, ends with its last, and has the views of all. Calling
the API does not belong here (see `data_lake.clients`).
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Head, Problem, Rows, Source
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.members import Members
from data_lake.sources.reading.repair import prove_lines, session
from data_lake.sources.reading.sidecars import stated_text
from data_lake.sources.reading.splitting import split_lines

KEYS = ("id", "user_id", "user_login", "published_at", "viewable", "duration")

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


def recognise(head: Head) -> str | None:
    """'Twitch videos' when the JSON begins with an object that has the members of a Helix video."""
    start = head.text.lstrip("\ufeff \t\r\n")
    if not start.startswith(("{", "[")) or not all(f'"{key}"' in start for key in KEYS):
        return None
    return "Twitch videos (Helix GET /videos)"


def parse(export: Export) -> Iterator[Rows | Problem]:
    """Yield a snapshot of each archived stream, at each other video, and one at each channel.

    `observed_at` is left to the sidecar's `exported_at`: the answer does not say when it was given. A video that cannot
    be read is a bad row of streams.
    """
    problems: list[Problem] = []
    channels: dict[str, tuple[int, str | None, str | None]] = {}
    with session() as con:
        for pieces in _pieces(con, export, problems):
            con.register("pieces", pieces)
            con.execute(VIDEOS)
            con.unregister("pieces")
            for entity, query in (("streams", STREAM_ROWS), ("videos", VIDEO_ROWS)):
                table = con.execute(query).to_arrow_table()
                if table.num_rows:
                    yield Rows(entity, table)
            for channel, *named in con.execute(
                f"select channel_id, arg_max({ROW}, {ROW}), arg_max(login, {ROW}), arg_max(display_name, {ROW}) "
                "from videos where problem is null group by channel_id order by min(_row)"
            ).fetchall():
                channels[channel] = (named[0], named[1], named[2])
    yield from problems
    if channels:
        yield Rows("channels", _channel_rows(channels))


def _pieces(con: duckdb.DuckDBPyConnection, export: Export, problems: list[Problem]) -> Iterator[pa.Table]:
    """Tables of pieces: videos, or pages of them."""
    encoding = stated_text(export.sidecar, "encoding")
    members = Members()
    yield from split_elements(con.cursor(), read_utf8(export.path, problems, encoding), members=members)
    if members.found:
        return
    problems.clear()
    if _has_many_pages(export, encoding):
        yield from prove_lines(con.cursor(), split_lines(read_utf8(export.path, problems, encoding)))
        return
    members = Members()
    yield from split_elements(con.cursor(), read_utf8(export.path, problems, encoding), key="data", members=members)
    if not members.found:
        problems.append(Problem(None, "there is no list of videos: neither an array nor an object with 'data'"))


def _has_many_pages(export: Export, encoding: str | None) -> bool:
    """Whether the file holds one object per line: the second line that is not empty begins one."""
    said: list[str] = []
    for lines in split_lines(read_utf8(export.path, [], encoding)):
        said += lines.column(TEXT).slice(0, 2).to_pylist()
        if len(said) > 1:
            return said[0].startswith('{"') and said[0].endswith("}") and said[1].startswith('{"')
    return False


def _channel_rows(channels: dict[str, tuple[int, str | None, str | None]]) -> pa.Table:
    rows, logins, names = zip(*channels.values(), strict=True)
    return pa.table(
        {
            "platform": pa.repeat("twitch", len(rows)),
            "channel_id": list(channels),
            "login": pa.array(logins, pa.string()),
            "display_name": pa.array(names, pa.string()),
            ROW: pa.array(rows, pa.int64()),
            TEXT: pa.nulls(len(rows), pa.string()),
            PROBLEM: pa.nulls(len(rows), pa.string()),
        }
    )


SOURCE = Source(
    name="helix_videos",
    version=2,
    entities=("channels", "streams", "videos"),
    looks_for='the JSON of Twitch GET /videos: objects with "user_id", "published_at", "viewable" and "duration"',
    recognise=recognise,
    parse=parse,
)
