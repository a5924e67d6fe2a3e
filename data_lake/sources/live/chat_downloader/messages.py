"""Chat messages of chat-downloader: plain ones by the fast path, straight from JSON in Arrow, the others from `items`.

Plain is a text message with an id, a time and a text; whatever else a batch holds goes through `items`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem
from data_lake.sources.live.chat_downloader.rows import CHANNEL, CHATS, LOGIN
from data_lake.sources.reading.columns import constant
from data_lake.sources.reading.emotes import StatedEmote, with_names
from data_lake.sources.reading.sql import json_object
from data_lake.sources.reading.typed import typed

_BADGE = pa.struct([("name", pa.string()), ("version", pa.string())])
_SIGNS = {"is_moderator": "^moderator$", "is_subscriber": "^(subscriber|founder|member)$", "is_vip": "^vip$"}
_LATEST = 253_402_300_799_999_999  # microseconds, the end of the year 9999
_MAX_OFFSET = 172_800.0  # seconds

MESSAGES = f"""
    select $platform as platform, nullif(message_id, '') as message_id, sent_at, {CHANNEL} as channel_id,
        $stream_id as stream_id,
        coalesce(author_id, 'login:' || lower(author_name)) as viewer_id, lower({LOGIN}) as viewer_login,
        coalesce(author_shown, author_name) as viewer_display_name, offset_seconds,
        coalesce(body, '') as text, emotes, badges,
        case type
            when 'text_message' then case when is_action then 'action' else 'chat' end
            when 'announcement' then type
            when 'highlighted_message' then 'highlighted-message'
            when 'send_message_in_subscriber_only_mode' then 'skip-subs-mode-message'
        end as message_type,
        is_action, try_cast(bits as bigint) as bits_count, reply_to as reply_to_message_id,
        is_first = 'true' as is_first_message,
        author_mod = 'true' as is_moderator, author_sub = 'true' as is_subscriber, vip = 'true' as is_vip,
        case when author_bot = 'true' then true end as is_bot,
        case when source_room <> channel then source_room end as shared_from_channel_id,
        {json_object({"color": "colour", "custom-reward-id": "reward"})} as extra,
        {ROW}, {TEXT}, {PROBLEM}
    from items where {PROBLEM} is not null or type in {CHATS} order by {ROW}"""


def _plain_shape(locations: pa.DataType) -> pa.Schema:
    """An item as nearly all are; Twitch's live emotes list their places, those of VODs have them in one text."""
    text, flag = pa.string(), pa.bool_()
    badge = pa.struct([("name", text), ("icon_name", text), ("title", text), ("version", pa.int64())])
    names = [(name, text) for name in ("id", "name", "display_name")]
    flags = [(name, flag) for name in ("is_moderator", "is_subscriber", "is_bot")]
    emote = pa.struct([("id", text), ("name", text), ("locations", locations), ("is_custom_emoji", flag)])
    return pa.schema(
        [
            *(
                (name, text)
                for name in ("message_id", "message_type", "action_type", "message", "channel_id", "colour")
            ),
            *((name, text) for name in ("custom_reward_id", "source_room_id")),
            *((name, pa.int64()) for name in ("timestamp", "bits")),
            *((name, flag) for name in ("is_first_message", "is_vip")),
            ("time_in_seconds", pa.float64()),
            ("author", pa.struct([*names, *flags, ("badges", pa.list_(badge))])),
            ("in_reply_to", pa.struct([("message_id", text)])),
            ("emotes", pa.list_(emote)),
        ]
    )


_SHAPES = (_plain_shape(pa.list_(pa.string())), _plain_shape(pa.string()))


def fast_rows(pieces: pa.Table, stated: Mapping[str, Any]) -> tuple[pa.Table, list[Problem], pa.Table]:
    """Rows of chat_messages of the plain items of a batch, what is wrong with emotes, and the pieces that are left."""
    read = next((table for shape in _SHAPES if (table := typed(pieces, shape)) is not None), None)
    if read is None:
        return _no_messages(), [], pieces
    column = {name: read[name].combine_chunks() for name in read.column_names}
    colour, text = column["colour"], column["message"]
    is_plain = pc.and_(
        pc.fill_null(pc.equal(column["message_type"], "text_message"), False),
        pc.fill_null(pc.not_equal(column["message_id"], ""), False),
    )
    is_timed = pc.and_(pc.greater_equal(column["timestamp"], 0), pc.less_equal(column["timestamp"], _LATEST))
    is_told = pc.and_(pc.fill_null(is_timed, False), pc.is_valid(text))
    has_mark = pc.fill_null(pc.match_substring(text, "\x01"), False)
    is_colour = pc.fill_null(pc.match_substring_regex(colour, "^#[0-9A-Fa-f]{6}$"), True)
    is_simple = pc.and_(pc.and_(is_colour, pc.is_null(column["custom_reward_id"])), pc.invert(has_mark))
    is_fast = pc.and_(pc.and_(is_plain, is_told), is_simple)
    rows = _fast_table(column, pieces[ROW].combine_chunks(), stated).filter(is_fast).combine_chunks()
    if not len(rows):
        return _no_messages(), [], pieces
    return *_finished(rows, rows["badges"].combine_chunks()), pieces.filter(pc.invert(is_fast))


def _fast_table(column: Mapping[str, pa.Array], rows: pa.Array, stated: Mapping[str, Any]) -> pa.Table:
    count = len(rows)
    author = {field.name: pc.struct_field(column["author"], field.name) for field in column["author"].type}
    name = author["name"]
    handle = pc.struct_field(pc.extract_regex(name, "^@(?P<handle>(?s:.*))$"), "handle")
    seconds = column["time_in_seconds"]
    source = column["source_room_id"]
    is_mirrored = pc.fill_null(pc.not_equal(source, column["channel_id"]), False)
    at = pc.if_else(pc.less_equal(column["timestamp"], _LATEST), column["timestamp"], 0)
    return pa.table(
        {
            "platform": constant(stated["platform"], count),
            "stream_id": constant(stated["stream_id"], count),
            "message_id": column["message_id"],
            "sent_at": at.cast(pa.timestamp("us")),
            "channel_id": pc.coalesce(column["channel_id"], pa.scalar(stated["channel_id"], pa.string())),
            "viewer_id": pc.coalesce(author["id"], pc.binary_join_element_wise("login", pc.utf8_lower(name), ":")),
            "viewer_login": pc.utf8_lower(handle if stated["platform"] == "youtube" else name),
            "viewer_display_name": pc.coalesce(author["display_name"], name),
            "offset_seconds": pc.if_else(
                pc.less_equal(pc.abs(seconds), _MAX_OFFSET), seconds, pa.scalar(None, pa.float64())
            ),
            "text": column["message"],
            "emotes": _with_text_places(column["emotes"]),
            "badges": _worn(author["badges"]),
            "message_type": constant("chat", count),
            "is_action": pa.repeat(False, count),
            "bits_count": column["bits"],
            "reply_to_message_id": pc.struct_field(column["in_reply_to"], "message_id"),
            "is_first_message": column["is_first_message"],
            "is_moderator": author["is_moderator"],
            "is_subscriber": author["is_subscriber"],
            "is_vip": column["is_vip"],
            "is_bot": pc.if_else(pc.fill_null(author["is_bot"], False), True, pa.scalar(None, pa.bool_())),
            "shared_from_channel_id": pc.if_else(is_mirrored, source, pa.scalar(None, pa.string())),
            "extra": pc.binary_join_element_wise('{"color":"', column["colour"], '"}', ""),
            ROW: rows,
            TEXT: constant(None, count),
            PROBLEM: constant(None, count),
        }
    )


def _with_text_places(emotes: pa.Array) -> pa.Array:
    """The emotes with their places in one text."""
    values = emotes.flatten()
    parts = {field.name: pc.struct_field(values, field.name) for field in values.type}
    if pa.types.is_list(parts["locations"].type):
        parts["locations"] = pc.binary_join(parts["locations"], ",")
    return _relisted(emotes, pa.StructArray.from_arrays(list(parts.values()), list(parts)))


def _worn(badges: pa.Array) -> pa.Array:
    """Badges in our names: named on Twitch, on YouTube told by icon or title ('Member (6 months)', 'New member')."""
    values = badges.flatten()
    title = pc.struct_field(values, "title")
    by_title = pc.if_else(pc.match_substring(title, "member", ignore_case=True), "member", pc.utf8_lower(title))
    name = pc.coalesce(pc.struct_field(values, "name"), pc.struct_field(values, "icon_name"), by_title, "")
    version = pc.coalesce(pc.struct_field(values, "version").cast(pa.string()), title)
    return _relisted(badges, pa.StructArray.from_arrays([name, version], fields=list(_BADGE)))


def _relisted(lists: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of other values, as long as the lists are; null where they are."""
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, mask=pc.is_null(lists))


def message_rows(con: duckdb.DuckDBPyConnection, stated: Mapping[str, Any]) -> tuple[pa.Table, list[Problem]]:
    """Rows of chat_messages in `items`, with the items that cannot be kept; and what is wrong with emotes."""
    parameters = {name: stated[name] for name in ("platform", "channel_id", "stream_id")}
    rows = con.execute(MESSAGES, parameters).to_arrow_table().combine_chunks()
    codes = pc.fill_null(rows["badges"], "").combine_chunks().dictionary_encode()
    badges = pa.array([_badges(text) for text in codes.dictionary.to_pylist()], pa.list_(_BADGE))
    return _finished(rows, badges.take(codes.indices))


def _badges(text: str) -> list[dict[str, Any]] | None:
    """The same as `_worn`, of JSON."""
    try:
        worn = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(worn, list):
        return None
    found: list[dict[str, Any]] = []
    for badge in worn:
        said = {n: str(value) for n, value in badge.items() if value is not None} if isinstance(badge, dict) else {}
        title = said.get("title", "")
        name = said.get("name") or said.get("icon_name") or ("member" if "member" in title.lower() else title.lower())
        found.append({"name": name, "version": said.get("version") or title or None})
    return found


def _finished(rows: pa.Table, badges: pa.Array) -> tuple[pa.Table, list[Problem]]:
    """The rows with badges, what these say of the writer, and emotes in their places; and what is wrong with emotes."""
    rows, problems = with_names(rows, _stated_emotes)
    columns = {}
    names = pc.struct_field(badges.flatten(), "name")
    parents = pc.list_parent_indices(badges).to_numpy()
    for column, sign in _SIGNS.items():
        worn = np.zeros(len(badges), dtype=np.bool_)
        worn[parents[pc.fill_null(pc.match_substring_regex(names, sign), False).to_numpy(zero_copy_only=False)]] = True
        by_badge = pc.if_else(pc.is_valid(badges), pa.array(worn), pa.scalar(None, pa.bool_()))
        stated = rows[column].combine_chunks()
        columns[column] = pc.or_kleene(pc.coalesce(stated, by_badge), pc.coalesce(by_badge, stated))
    empty = pa.scalar([], pa.list_(_BADGE))
    columns["badges"] = pc.coalesce(badges, empty)
    for name, column in columns.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows, problems


def _no_messages() -> pa.Table:
    return pa.table({"sent_at": pa.array([], pa.timestamp("us")), ROW: pa.array([], pa.int64())})


_RANGE = re.compile(r"(-?\d{1,9})-(-?\d{1,9})")


def _stated_emotes(emotes: list[dict[str, Any]], text: str, platform: str) -> Iterator[StatedEmote]:
    """An emote for each place: stated on Twitch, found in the text on YouTube (a channel's own emoji only)."""
    for emote in emotes:
        name, emote_id = emote["name"] or None, emote["id"]
        if emote["locations"]:
            for place in re.sub(r'[\[\]"\s]', "", emote["locations"]).split(","):
                found = _RANGE.fullmatch(place)
                start, end = (int(found[1]), int(found[2])) if found else (None, None)
                yield StatedEmote(emote_id, start, end, place, name)
        elif name and emote["is_custom_emoji"] is not False:
            # Emoji stand side by side, emotes of Twitch between blanks.
            pattern = re.escape(name) if platform != "twitch" else rf"(?<![^ ]){re.escape(name)}(?![^ ])"
            for found in re.finditer(pattern, text):
                yield StatedEmote(emote_id, found.start(), found.end() - 1, found[0], name)
