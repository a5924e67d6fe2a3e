"""Comments of a TwitchDownloader file to chat messages, stream events and viewers.

DuckDB maps a batch of comments in one select; emotes and viewers are finished in Arrow. Where comments begin and end
does not belong here (see `reading_json`), nor what stands beside them (see `twitch_downloader_video`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows
from data_lake.sources.chat_text_notices import CANDIDATE, Notices
from data_lake.sources.reading_repair import chunked
from data_lake.sources.twitch_downloader_lists import array_of, emotes_of, renamed, wears
from data_lake.sources.twitch_downloader_notices import EVENTS, events_of
from data_lake.sources.twitch_downloader_video import FirstComment, Video

MAX_SECONDS = 172_800  # a Twitch stream ends after 48 hours

_SHAPE = """{"_id":"VARCHAR","content_offset_seconds":"VARCHAR",
"commenter":{"_id":"VARCHAR","name":"VARCHAR","display_name":"VARCHAR"},
"message":{"body":"VARCHAR","bits_spent":"VARCHAR","is_action":"VARCHAR","user_color":"VARCHAR",
"user_notice_params":{"msg_id":"VARCHAR","msg-id":"VARCHAR"},"user_badges":[{"_id":"VARCHAR","version":"VARCHAR"}]}}"""
_FIRST = '{"channel_id":"VARCHAR","content_id":"VARCHAR","created_at":"VARCHAR","content_offset_seconds":"VARCHAR"}'
_FRAGMENTS = '{"message":{"fragments":[{"text":"VARCHAR","emoticon":{"emoticon_id":"VARCHAR"}}]}}'
_EMOTICONS = '{"message":{"emoticons":[{"_id":"VARCHAR","begin":"INTEGER","end":"INTEGER"}]}}'
# The words bits are cheered with in every channel, before their number.
_CHEERS = re.compile(
    r"(?:^|\s)(?:cheer|doodlecheer|ripcheer|holidaycheer|cheerwhal|biblethump|corgo|uni|showlove|party|seemsgood|pride|"
    r"kappa|frankerz|heyguys|dansgame|elegiggle|trihard|kreygasm|4head|swiftrage|notlikethis|failfish|vohiyo|pjsalt|"
    r"mrdestructoid|bday|shamrock|bitboss|streamlabs|muxy|anon|charity|goal|scoops)([1-9]\d{0,6})\b",
    re.IGNORECASE,
)
_MAY_BE_CHEER = r"[A-Za-z][1-9]"  # a cheap test that every cheer passes
_ACTION = "\x01ACTION "  # how IRC marks /me
_FOUNDERS = ("subscriber", "founder")

# Fields that only few comments need are read from those alone: each field of the shape costs for all.
_MAPPED = f"""
with parsed as (
    select {ROW}, {TEXT}, {PROBLEM},
        json_transform(case when {PROBLEM} is null then {TEXT} end, $shape) as c
    from batch
), typed as (
    select {ROW}, {TEXT}, {PROBLEM}, c._id as message_id, c.content_offset_seconds as offset_text,
        c.commenter._id as viewer_id, lower(c.commenter.name) as viewer_login,
        c.commenter.display_name as viewer_display_name,
        c.message.body as body, c.message.user_color as color, c.message.bits_spent as bits_text,
        coalesce(c.message.user_notice_params.msg_id, c.message.user_notice_params."msg-id") as notice_kind,
        coalesce(starts_with(c.message.body, $action), false) as is_marked,
        coalesce(c.message.is_action = 'true', false) or is_marked as is_action,
        c.message.user_badges as badges,
        try_cast(c.content_offset_seconds as double) as seconds,
        try_cast(c.message.bits_spent as bigint) as bits,
        case when {PROBLEM} is null and ($start is null or c.content_offset_seconds is null)
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
    case when not $is_clip then seconds end as offset_seconds,
    case when is_marked then rtrim(substr(body, {len(_ACTION) + 1}), chr(1)) else body end as text,
    bits as bits_count,
    case when color is not null and color <> '' then '{{"user_color":' || to_json(color) || '}}' end as extra,
    case when {PROBLEM} is null and contains({TEXT}, '"emoticon_id"')
        then json_transform({TEXT}, $fragments).message.fragments end as fragments,
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

_VIEWERS = f"""
with parsed as (
    select *, json_extract_string({TEXT}, '$.commenter.created_at') as created,
        json_transform({TEXT}, '{{"commenter":{{"bio":"VARCHAR","logo":"VARCHAR","updated_at":"VARCHAR"}}}}')
            .commenter as about
    from batch
)
select {ROW}, 'twitch' as platform, viewer_id, viewer_login as login, viewer_display_name as display_name,
    try_cast(created as timestamptz) at time zone 'UTC' as created_at,
    case when coalesce(about.bio, about.logo, about.updated_at) is not null then to_json(about)::varchar end as extra
from parsed
"""


def first_comment(con: duckdb.DuckDBPyConnection, table: pa.Table | None) -> FirstComment:
    """What the first comment says of its stream; its start is its own time minus its offset."""
    if table is None:
        return FirstComment()
    con.register("batch", table.slice(0, 1000))
    found = con.execute(
        f"""
        with parsed as (
            select {ROW}, json_transform(case when {PROBLEM} is null then {TEXT} end, $shape) as c from batch
        )
        select c.channel_id, c.content_id,
            try_cast(c.created_at as timestamptz) at time zone 'UTC' as written_at,
            try_cast(c.content_offset_seconds as double) as seconds
        from parsed where written_at is not null and isfinite(seconds) and abs(seconds) <= {MAX_SECONDS}
        order by {ROW} limit 1
        """,
        {"shape": _FIRST},
    ).fetchone()
    if found is None:
        return FirstComment()
    channel_id, vod_id, written_at, seconds = found
    return FirstComment(channel_id, vod_id, written_at - timedelta(seconds=seconds))


class Comments:
    """Maps the comments of one file, batch by batch and in order."""

    def __init__(self, con: duckdb.DuckDBPyConnection, video: Video) -> None:
        self._con = con
        self._video = video
        self._notices = Notices("\x1f".join(["twitch", video.channel_id or "", video.stream_id or ""]))
        self._saw_bits = False
        self._cheers: list[pa.Table] = []
        self._viewers: list[pa.Table] = []

    def rows(self, comments: pa.Table) -> Iterator[Rows]:
        """Rows of chat_messages and stream_events; viewers are kept for `last_rows`."""
        wide = self._mapped(comments)
        is_good = pc.is_null(wide[PROBLEM])
        self._note_viewers(wide.filter(pc.and_(is_good, pc.is_valid(wide["viewer_id"]))))
        is_event, events = self._events(wide, is_good)
        if events:
            yield Rows("stream_events", _events_table(events))
        chat = wide.filter(pc.invert(is_event)) if is_event is not None else wide
        chat = self._without_cheers(chat)
        if len(chat):
            yield Rows("chat_messages", _chat_table(chat))

    def last_rows(self) -> Iterator[Rows]:
        """Rows that wait for the end of the file: cheers without bits, and each viewer's last look."""
        for table in self._cheers:
            if not self._saw_bits:
                at = table.schema.get_field_index("bits_count")
                table = table.set_column(at, "bits_count", table["cheered"])
            yield Rows("chat_messages", _chat_table(table))
        if self._viewers:
            viewers = _last_of_each(pa.concat_tables(self._viewers))
            nothing = pa.nulls(len(viewers), pa.string())
            yield Rows("viewers", viewers.append_column(TEXT, nothing).append_column(PROBLEM, nothing))

    def _mapped(self, comments: pa.Table) -> pa.Table:
        video = self._video
        self._con.register("batch", chunked(comments))
        has_fragments = '"fragments"' in (comments[TEXT][0].as_py() or "")
        said = {"start": video.started_at, "channel": video.channel_id, "is_clip": video.is_clip, "action": _ACTION}
        shapes = {"shape": _SHAPE, "fragments": _FRAGMENTS, "emoticons": _EMOTICONS}
        found = self._con.execute(_MAPPED, {**said, **shapes, "has_fragments": has_fragments})
        wide = found.to_arrow_table().combine_chunks()
        # The rows are those of the batch, in its order: the text need not pass through the query.
        wide = wide.append_column(TEXT, comments[TEXT])
        return wide.append_column("stream_id", pa.array([video.stream_id] * len(wide), pa.string()))

    def _without_cheers(self, chat: pa.Table) -> pa.Table:
        """The messages whose bits are certain; keeps those back that cheer in their text and have no bits.

        Whether all bits of a file are 0, so that the text must tell, is known at its end.
        """
        self._saw_bits = self._saw_bits or bool(pc.any(pc.greater(chat["bits_count"], 0)).as_py())
        if self._saw_bits:
            return chat
        places = np.flatnonzero(pc.fill_null(pc.match_substring_regex(chat["body"], _MAY_BE_CHEER), False).to_numpy())
        counts = {
            place: sum(map(int, _CHEERS.findall(body)))
            for place, body in zip(places.tolist(), chat["body"].take(places).to_pylist(), strict=True)
        }
        cheers = [place for place in counts if counts[place] and chat[PROBLEM][place].as_py() is None]
        if not cheers:
            return chat
        cheered = pa.array([counts[place] for place in cheers], pa.int64())
        self._cheers.append(chat.take(cheers).append_column("cheered", cheered))
        keep = np.ones(len(chat), dtype=np.bool_)
        keep[cheers] = False
        return chat.filter(pa.array(keep))

    def _note_viewers(self, seen: pa.Table) -> None:
        if len(seen):
            self._con.register("batch", chunked(_last_of_each(seen)))
            self._viewers.append(self._con.execute(_VIEWERS).to_arrow_table())

    def _events(self, wide: pa.Table, is_good: pa.Array) -> tuple[pa.Array | None, list[dict[str, Any]]]:
        """Which comments are no chat but notices, and the events they report."""
        may_be = pc.or_kleene(
            pc.is_in(wide["notice_kind"], pa.array(list(EVENTS))), pc.match_substring_regex(wide["body"], CANDIDATE)
        )
        places = np.flatnonzero(pc.and_(pc.fill_null(may_be, False), is_good).to_numpy())
        if not len(places):
            return None, []
        is_event = np.zeros(len(wide), dtype=np.bool_)
        events: list[dict[str, Any]] = []
        for place, row in zip(places.tolist(), wide.take(places).to_pylist(), strict=True):
            found = events_of(row, self._notices)
            if found is not None:
                is_event[place] = True
                events += found
        return pa.array(is_event), events


def _last_of_each(seen: pa.Table) -> pa.Table:
    """The last row of each viewer."""
    codes = array_of(seen["viewer_id"]).dictionary_encode()
    last = np.zeros(len(codes.dictionary), dtype=np.int64)
    last[codes.indices.to_numpy()] = np.arange(len(seen))
    return seen.take(np.sort(last))


_EVENTS_SCHEMA = pa.schema(
    [(ROW, pa.int64()), ("sent_at", pa.timestamp("us"))]
    + [(name, pa.int64()) for name in ("month_count", "gift_count", "raid_viewer_count")]
    + [
        (name, pa.string())
        for name in ("event_id", "channel_id", "stream_id", "viewer_id", "viewer_login", "event_type")
    ]
    + [(name, pa.string()) for name in ("tier", "gift_group_id", "gift_recipient_id", "message_text", "extra")]
    + [(name, pa.string()) for name in (TEXT, PROBLEM)]
)


def _events_table(events: list[dict[str, Any]]) -> pa.Table:
    table = pa.Table.from_pylist(events, schema=_EVENTS_SCHEMA)
    names = ["occurred_at" if name == "sent_at" else name for name in table.column_names]
    table = table.rename_columns(names)
    return table.append_column("platform", pa.array(["twitch"] * len(table), pa.string()))


def _chat_table(wide: pa.Table) -> pa.Table:
    wide = wide.combine_chunks()
    badges = array_of(wide["badges"])
    names = [ROW, PROBLEM, "message_id", "sent_at", "channel_id", "stream_id", "viewer_id", "viewer_login"]
    names += ["viewer_display_name", "offset_seconds", "text", "is_action", "bits_count", "extra"]
    return pa.table(
        {
            **{name: wide[name] for name in names},
            TEXT: pc.if_else(pc.is_null(wide[PROBLEM]), pa.scalar(None, pa.string()), wide[TEXT]),
            "platform": pa.array(["twitch"] * len(wide), pa.string()),
            "message_type": pc.coalesce(wide["notice_kind"], pc.if_else(wide["is_action"], "action", "chat")),
            "emotes": emotes_of(wide),
            "badges": renamed(badges),
            "is_moderator": wears(badges, ("moderator",)),
            "is_subscriber": wears(badges, _FOUNDERS),
            "is_vip": wears(badges, ("vip",)),
        }
    )
