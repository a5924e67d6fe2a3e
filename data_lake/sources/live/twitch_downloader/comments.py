"""Comments of a TwitchDownloader file to chat messages, stream events and viewers.

DuckDB maps a batch of comments in one select; emotes and viewers are finished in Arrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem, Rows
from data_lake.sources.live.twitch_downloader.fast_path import fast_path
from data_lake.sources.live.twitch_downloader.lists import array_of, emotes_of, renamed, wears
from data_lake.sources.live.twitch_downloader.notices import EVENTS, events_of
from data_lake.sources.live.twitch_downloader.sql import (
    ABOUT_VIEWERS,
    ACTION,
    BADGES,
    COMMENTERS,
    EMOTICONS,
    FIRST_COMMENT,
    FIRST_SHAPE,
    FRAGMENTS,
    MAPPED,
    VIEWERS,
)
from data_lake.sources.live.twitch_downloader.video import FirstComment, Video
from data_lake.sources.reading.chat import cheers_of
from data_lake.sources.reading.columns import constant, text_where_broken
from data_lake.sources.reading.repair import chunked
from data_lake.sources.reading.splitting import ahead
from data_lake.sources.reading.twitch_notices import Notices, may_be_notices

# The words bits are cheered with in every channel, before their number.
_CHEERS = re.compile(
    r"(?:^|\s)(?:cheer|doodlecheer|ripcheer|holidaycheer|cheerwhal|biblethump|corgo|uni|showlove|party|seemsgood|pride|"
    r"kappa|frankerz|heyguys|dansgame|elegiggle|trihard|kreygasm|4head|swiftrage|notlikethis|failfish|vohiyo|pjsalt|"
    r"mrdestructoid|bday|shamrock|bitboss|streamlabs|muxy|anon|charity|goal|scoops)([1-9]\d{0,6})\b",
    re.IGNORECASE,
)
_MAY_BE_CHEER = r"[A-Za-z][1-9]"  # a cheap test that every cheer passes
_FOUNDERS = ("subscriber", "founder")
_VIEWERS_HELD = 20_000  # snapshots of viewers kept before earlier ones are dropped


def first_comment(con: duckdb.DuckDBPyConnection, table: pa.Table | None) -> FirstComment:
    """What the first comment says of its stream; its start is its own time minus its offset."""
    if table is None:
        return FirstComment()
    con.register("batch", table.slice(0, 1000))
    found = con.execute(
        FIRST_COMMENT,
        {"shape": FIRST_SHAPE},
    ).fetchone()
    if found is None:
        return FirstComment()
    channel_id, vod_id, written_at, seconds = found
    return FirstComment(channel_id, vod_id, written_at - timedelta(seconds=seconds))


class Comments:
    """Maps the comments of one file, batch by batch and in order."""

    def __init__(self, con: duckdb.DuckDBPyConnection, video: Video) -> None:
        self._con = con
        self._mapping = con.cursor()
        self._video = video
        self._notices = Notices("\x1f".join(["twitch", video.channel_id or "", video.stream_id or ""]))
        self._saw_bits = False
        self._cheers: list[pa.Table] = []
        self._viewers: list[pa.Table] = []

    def rows(self, tables: Iterator[pa.Table]) -> Iterator[Rows | Problem]:
        """Rows of chat_messages, stream_events and, once each viewer's last snapshot is known, viewers.

        Cutting, mapping and finishing run beside each other, a batch apart.
        """
        for wide in ahead(map(self._mapped, ahead(tables))):
            yield from self._rows_of(wide)
        yield from self._last_rows()

    def _rows_of(self, wide: pa.Table) -> Iterator[Rows | Problem]:
        is_good = pc.is_null(array_of(wide[PROBLEM]))
        self._note_viewers(wide, is_good)
        is_event, events = self._events(wide, is_good)
        if events:
            yield Rows("stream_events", _events_table(events))
        chat = wide.filter(pc.invert(is_event)) if is_event is not None else wide
        chat = self._without_cheers(chat)
        if len(chat):
            yield from _messages(chat)

    def _last_rows(self) -> Iterator[Rows | Problem]:
        """Rows that wait for the end of the file: cheers without bits, and each viewer's last snapshot."""
        for table in self._cheers:
            if not self._saw_bits:
                at = table.schema.get_field_index("bits_count")
                table = table.set_column(at, "bits_count", table["cheered"])
            yield from _messages(table)
        if self._viewers:
            self._con.register("batch", self._last_snapshots())
            viewers = self._con.execute(VIEWERS).to_arrow_table()
            nothing = constant(None, len(viewers))
            yield Rows("viewers", viewers.append_column(TEXT, nothing).append_column(PROBLEM, nothing))

    def _mapped(self, comments: pa.Table) -> pa.Table:
        has_fragments = '"fragments"' in (comments[TEXT][0].as_py() or "")
        wide = fast_path(comments, self._video, has_fragments)
        if wide is None:
            wide = self._slow_path(comments, has_fragments)
        # The rows are those of the batch, in its order: the text need not pass through the mapping.
        wide = wide.append_column(TEXT, comments[TEXT])
        wide = wide.append_column("text", _without_marks(wide))
        return wide.append_column("stream_id", constant(self._video.stream_id, len(wide)))

    def _slow_path(self, comments: pa.Table, has_fragments: bool) -> pa.Table:
        video = self._video
        self._mapping.register("batch", chunked(comments))
        about = {"start": video.started_at, "channel": video.channel_id, "is_part": video.is_part, "action": ACTION}
        shapes = {"badges": BADGES, "fragments": FRAGMENTS, "emoticons": EMOTICONS}
        found = self._mapping.execute(MAPPED, {**about, **shapes, "has_fragments": has_fragments})
        return found.to_arrow_table(len(comments)).combine_chunks()

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

    def _note_viewers(self, wide: pa.Table, is_good: pa.Array) -> None:
        """Keep the last snapshot of each viewer in the batch; only for these is the whole of the commenter read."""
        known = pa.chunked_array([pc.if_else(is_good, array_of(wide["viewer_id"]), None)])
        last = _last_of_each(known)
        if len(last):
            names = [ROW, "viewer_id", "viewer_login", "viewer_display_name"]
            if set(ABOUT_VIEWERS) <= set(wide.column_names):
                seen = wide.select([*names, *ABOUT_VIEWERS]).take(last)
            else:
                self._con.register("batch", chunked(wide.select([*names, TEXT]).take(last)))
                seen = self._con.execute(COMMENTERS).to_arrow_table().drop_columns([TEXT])
            self._viewers.append(seen)
        if self._viewers and sum(map(len, self._viewers)) > 2 * len(self._viewers[0]) + _VIEWERS_HELD:
            self._viewers = [self._last_snapshots()]

    def _last_snapshots(self) -> pa.Table:
        viewers = pa.concat_tables(self._viewers)
        return viewers.take(_last_of_each(viewers["viewer_id"]))

    def _events(self, wide: pa.Table, is_good: pa.Array) -> tuple[pa.Array | None, list[dict[str, Any]]]:
        """Which comments are no chat but notices, and the events they report."""
        may_be = pc.is_in(array_of(wide["notice_kind"]), pa.array(list(EVENTS))).to_numpy(zero_copy_only=False)
        may_be[may_be_notices(array_of(wide["body"]))] = True
        places = np.flatnonzero(may_be & is_good.to_numpy(zero_copy_only=False))
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


def _messages(wide: pa.Table) -> Iterator[Rows | Problem]:
    table, unnamed = _chat_table(wide)
    yield from unnamed
    yield Rows("chat_messages", table)
    yield from cheers_of(table)


def _last_of_each(ids: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Where each id stands last, in order; null is no id."""
    codes = array_of(ids).dictionary_encode()
    places = np.flatnonzero(codes.is_valid().to_numpy(zero_copy_only=False))
    last = np.zeros(len(codes.dictionary), dtype=np.int64)
    last[pc.drop_null(codes.indices).to_numpy()] = places
    return np.sort(last)


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
    return table.append_column("platform", constant("twitch", len(table)))


def _without_marks(wide: pa.Table) -> pa.ChunkedArray:
    """The message as written, without the marks of /me."""
    if not pc.any(wide["is_marked"]).as_py():
        return wide["body"]
    inner = pc.utf8_rtrim(pc.utf8_slice_codeunits(wide["body"], len(ACTION)), "\x01")
    return pc.if_else(wide["is_marked"], inner, wide["body"])


def _chat_table(wide: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Rows of chat_messages, and what is wrong with emotes of theirs."""
    wide = wide.combine_chunks()
    emotes, unnamed = emotes_of(wide)
    badges = array_of(wide["badges"])
    names = [ROW, PROBLEM, "message_id", "sent_at", "channel_id", "stream_id", "viewer_id", "viewer_login"]
    names += ["viewer_display_name", "offset_seconds", "text", "is_action", "bits_count", "extra"]
    table = pa.table(
        {
            **{name: wide[name] for name in names},
            TEXT: text_where_broken(wide[PROBLEM], wide[TEXT]),
            "platform": constant("twitch", len(wide)),
            "message_type": pc.coalesce(wide["notice_kind"], pc.if_else(wide["is_action"], "action", "chat")),
            "emotes": emotes,
            "badges": renamed(badges),
            "is_moderator": wears(badges, ("moderator",)),
            "is_subscriber": wears(badges, _FOUNDERS),
            "is_vip": wears(badges, ("vip",)),
        }
    )
    return table, unnamed
