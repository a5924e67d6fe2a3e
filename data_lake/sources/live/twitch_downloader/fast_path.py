"""Comments of a TwitchDownloader file straight to typed columns, where a whole batch looks as the tool writes it.

The columns are those of `sql.MAPPED`, with the same values (a test holds them equal). A member that
is not known here, a value of another type or one that needs a reason gives the batch up: it takes the slow path.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW
from data_lake.sources.live.twitch_downloader.lists import array_of
from data_lake.sources.live.twitch_downloader.sql import ABOUT_VIEWERS, ACTION, MAX_SECONDS
from data_lake.sources.live.twitch_downloader.video import Video
from data_lake.sources.reading.typed import typed

_TEXT = pa.string()


def _object(**members: pa.DataType) -> pa.DataType:
    return pa.struct(list(members.items()))


_SCHEMA = pa.schema(
    {
        "_id": _TEXT,
        "created_at": _TEXT,
        "updated_at": _TEXT,
        "channel_id": _TEXT,
        "content_type": _TEXT,
        "content_id": _TEXT,
        "content_offset_seconds": pa.float64(),
        "commenter": _object(
            **dict.fromkeys(("display_name", "_id", "name", "type", "bio", "created_at", "updated_at", "logo"), _TEXT)
        ),
        "message": _object(
            body=_TEXT,
            bits_spent=pa.int64(),
            is_action=pa.bool_(),
            user_color=_TEXT,
            user_notice_params=pa.struct([("msg_id", _TEXT), ("msg-id", _TEXT)]),
            user_badges=pa.list_(_object(_id=_TEXT, version=_TEXT)),
            fragments=pa.list_(_object(text=_TEXT, emoticon=_object(emoticon_id=_TEXT, emoticon_set_id=_TEXT))),
            emoticons=pa.list_(_object(_id=_TEXT, begin=pa.int32(), end=pa.int32())),
        ),
    }
)
_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def fast_path(pieces: pa.Table, video: Video, has_fragments: bool) -> pa.Table | None:
    """The columns of a batch of comments, if all are good and the start of the VOD is known; else None."""
    read = typed(pieces, _SCHEMA, is_strict=True) if video.started_at is not None else None
    if read is None:
        return None
    message, commenter = array_of(read["message"]), array_of(read["commenter"])
    body, bits, color = (pc.struct_field(message, name) for name in ("body", "bits_spent", "user_color"))
    seconds = array_of(read["content_offset_seconds"])
    are_good = (
        not seconds.null_count
        and not body.null_count
        and pc.all(pc.less_equal(pc.abs(seconds), MAX_SECONDS), min_count=0).as_py()
        and pc.all(pc.greater_equal(bits, 0), min_count=0).as_py()
        and not pc.any(pc.match_substring_regex(color, _NEEDS_ESCAPE)).as_py()
    )
    if not are_good:
        return None
    is_marked = pc.starts_with(body, ACTION)
    notice = pc.struct_field(message, "user_notice_params")
    kind = pc.coalesce(pc.struct_field(notice, "msg_id"), pc.struct_field(notice, "msg-id"))
    channel_id = array_of(read["channel_id"])
    nothing = pa.nulls(len(read), pa.null())
    return pa.table(
        {
            ROW: pieces[ROW].combine_chunks(),
            "sent_at": _moments(video, seconds),
            "message_id": array_of(read["_id"]),
            "viewer_id": pc.struct_field(commenter, "_id"),
            "viewer_login": pc.utf8_lower(pc.struct_field(commenter, "name")),
            "viewer_display_name": pc.struct_field(commenter, "display_name"),
            "badges": pc.struct_field(message, "user_badges"),
            "body": body,
            "is_action": pc.or_(pc.fill_null(pc.struct_field(message, "is_action"), False), is_marked),
            "channel_id": pa.repeat(video.channel_id, len(read)) if video.channel_id is not None else channel_id,
            "notice_kind": pc.if_else(pc.equal(kind, ""), None, kind),
            "offset_seconds": seconds,
            "is_marked": is_marked,
            "bits_count": bits,
            "extra": _extra(color),
            "fragments": pc.struct_field(message, "fragments"),
            "emoticons": nothing.cast(_emoticons(message).type) if has_fragments else _emoticons(message),
            PROBLEM: nothing.cast(_TEXT),
            **{name: pc.struct_field(commenter, member) for name, member in ABOUT_VIEWERS.items()},
        }
    )


def _emoticons(message: pa.StructArray) -> pa.Array:
    return pc.struct_field(message, "emoticons")


def _moments(video: Video, seconds: pa.Array) -> pa.Array:
    offset = pc.round(pc.multiply(seconds, 1e6), round_mode="half_towards_infinity").cast(pa.int64())
    start = np.datetime64(video.started_at, "us").astype(np.int64)
    return pc.add(offset, pa.scalar(int(start))).cast(pa.timestamp("us"))


def _extra(color: pa.Array) -> pa.Array:
    whole = pc.binary_join_element_wise('{"user_color":"', color, '"}', "")
    return pc.if_else(pc.equal(color, ""), None, whole)
