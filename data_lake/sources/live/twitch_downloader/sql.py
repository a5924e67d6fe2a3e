"""The queries that map comments of a TwitchDownloader file, over a relation `batch` of pieces (see `splitting`)."""

from __future__ import annotations

from collections.abc import Sequence

from data_lake.sources.base import PROBLEM, ROW, TEXT

MAX_SECONDS = 172_800  # a Twitch stream ends after 48 hours

# Members read from every comment, as text: one pass over the JSON, half the time of json_transform into a struct.
_PATHS = [
    "/_id",
    "/content_offset_seconds",
    "/commenter/_id",
    "/commenter/name",
    "/commenter/display_name",
    "/message/body",
    "/message/bits_spent",
    "/message/is_action",
    "/message/user_color",
    "/message/user_notice_params/msg_id",
    "/message/user_notice_params/msg-id",
    "/message/user_badges",
    "/message/fragments",
]
# Members of a comment and of its message that are read, or say again what the file says elsewhere; others are kept.
_KNOWN = ("_id", "created_at", "updated_at", "channel_id", "content_type", "content_id", "content_offset_seconds",
          "commenter", "message")  # fmt: skip
_KNOWN_OF_MESSAGE = ("body", "bits_spent", "is_action", "fragments", "emoticons", "user_badges", "user_notice_params")
_KNOWN_OF_COMMENTER = ("display_name", "_id", "name", "type", "bio", "created_at", "updated_at", "logo")
_KNOWN_OF_NOTICE = ("msg_id", "msg-id")
# Columns about the commenter that only looks at viewers need, and where they stand.
ABOUT_VIEWERS = {"viewer_created_at": "created_at", "bio": "bio", "logo": "logo", "viewer_updated_at": "updated_at"}
BADGES = '[{"_id":"VARCHAR","version":"VARCHAR"}]'
FIRST_SHAPE = (
    '{"channel_id":"VARCHAR","content_id":"VARCHAR","created_at":"VARCHAR","content_offset_seconds":"VARCHAR"}'
)
FRAGMENTS = '[{"text":"VARCHAR","emoticon":{"emoticon_id":"VARCHAR"}}]'
EMOTICONS = '{"message":{"emoticons":[{"_id":"VARCHAR","begin":"INTEGER","end":"INTEGER"}]}}'
ACTION = "\x01ACTION "  # how IRC marks /me


def _unknown(json: str, names: Sequence[str]) -> str:
    """The members of a JSON object beside the known ones, as SQL: a merge patch of null removes a member."""
    patch = "{" + ",".join(f'"{name}":null' for name in names) + "}"
    return f"coalesce(json_merge_patch({json}, '{patch}'), '{{}}')"


_REST = ", ".join(
    [
        "'{}'",
        _unknown(TEXT, _KNOWN),
        _unknown(f"json_extract({TEXT}, '$.commenter')", _KNOWN_OF_COMMENTER),
        _unknown(f"json_extract({TEXT}, '$.message')", _KNOWN_OF_MESSAGE),
        _unknown(f"json_extract({TEXT}, '$.message.user_notice_params')", _KNOWN_OF_NOTICE),
        """case when color = '' then '{"user_color":null}' else '{}' end""",
    ]
)

# Members that only few comments need are read from those alone.
MAPPED = f"""
with parsed as (
    select {ROW}, {TEXT}, {PROBLEM},
        json_extract_string(case when {PROBLEM} is null then {TEXT} end, {_PATHS}) as c
    from batch
), typed as (
    select {ROW}, {TEXT}, {PROBLEM}, c[1] as message_id, c[2] as offset_text, c[3] as viewer_id,
        lower(c[4]) as viewer_login, c[5] as viewer_display_name, c[6] as body, c[7] as bits_text, c[9] as color,
        coalesce(c[10], c[11]) as notice_kind,
        coalesce(starts_with(c[6], $action), false) as is_marked,
        coalesce(c[8] = 'true', false) or is_marked as is_action,
        case when starts_with(c[12], '[') and json_valid(c[12]) then from_json(c[12], $badges) end as badges,
        case when contains(c[13], '"emoticon_id"') and json_valid(c[13]) then from_json(c[13], $fragments) end
            as fragments,
        try_cast(c[2] as double) as seconds,
        try_cast(c[7] as bigint) as bits,
        case when {PROBLEM} is null and ($start is null or c[2] is null)
            then json_extract_string({TEXT}, '$.created_at') end as written,
        try_cast(written as timestamptz) at time zone 'UTC' as written_at
    from parsed
), placed as (
    select *,
        case when abs(seconds) <= {MAX_SECONDS} and $start is not null
            then $start::timestamp + to_microseconds(round(seconds * 1e6)::bigint)
            else written_at end as sent_at
    from typed
)
select {ROW}, sent_at, message_id, viewer_id, viewer_login, viewer_display_name, badges, body, is_action,
    case when $channel is not null then $channel
        when {PROBLEM} is null then json_extract_string({TEXT}, '$.channel_id') end as channel_id,
    nullif(notice_kind, '') as notice_kind,
    case when not $is_part then seconds end as offset_seconds,
    is_marked,
    bits as bits_count,
    case when {PROBLEM} is null then nullif(json_merge_patch({_REST})::varchar, '{{}}') end as extra,
    fragments,
    case when {PROBLEM} is null and not $has_fragments
        then json_transform({TEXT}, $emoticons).message.emoticons end as emoticons,
    case
        when {PROBLEM} is not null then {PROBLEM}
        when message_id is null and offset_text is null and body is null then 'is not a comment'
        when offset_text is not null and (seconds is null or not isfinite(seconds))
            then 'content_offset_seconds: ''' || left(offset_text, 100) || ''' is not a number'
        when abs(seconds) > {MAX_SECONDS}
            then 'content_offset_seconds: ' || left(offset_text, 100) || ' lies more than 48 hours from the start'
        when sent_at is null and written is null then 'has no time: content_offset_seconds and created_at are missing'
        when sent_at is null then 'created_at: ''' || left(written, 100) || ''' is not a time'
        when body is null then 'message.body is missing'
        when bits_text is not null and (bits is null or bits < 0)
            then 'message.bits_spent: ''' || left(bits_text, 100) || ''' is not a count'
        when viewer_id is null and viewer_login is null and json_type({TEXT}, '$.commenter') not in ('NULL', 'OBJECT')
            then 'commenter is not an object'
    end as {PROBLEM}
from placed
"""

# Over last comments of viewers: the columns of `ABOUT_VIEWERS`, read from the comments themselves.
COMMENTERS = f"""
with parsed as (
    select *, json_extract_string({TEXT}, {[f"/commenter/{member}" for member in ABOUT_VIEWERS.values()]}) as c
    from batch
)
select * exclude (c), {", ".join(f"c[{at}] as {name}" for at, name in enumerate(ABOUT_VIEWERS, 1))} from parsed
"""

VIEWERS = f"""
select {ROW}, 'twitch' as platform, viewer_id, viewer_login as login, viewer_display_name as display_name,
    try_cast(viewer_created_at as timestamptz) at time zone 'UTC' as created_at,
    case when coalesce(bio, logo, viewer_updated_at) is not null
        then to_json({{'bio': bio, 'logo': logo, 'updated_at': viewer_updated_at}})::varchar end as extra
from batch
"""

FIRST_COMMENT = f"""
with parsed as (
    select {ROW}, json_transform(case when {PROBLEM} is null then {TEXT} end, $shape) as c from batch
)
select c.channel_id, c.content_id,
    try_cast(c.created_at as timestamptz) at time zone 'UTC' as written_at,
    try_cast(c.content_offset_seconds as double) as seconds
from parsed where written_at is not null and isfinite(seconds) and abs(seconds) <= {MAX_SECONDS}
order by {ROW} limit 1
"""
