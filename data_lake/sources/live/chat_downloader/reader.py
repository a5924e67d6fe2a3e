"""A file of chat-downloader to rows: which site it is from, its channels and its viewers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, TEXT, Export, Problem, Rows
from data_lake.sources.live.chat_downloader.items import read_items
from data_lake.sources.live.chat_downloader.messages import fast_rows, message_rows
from data_lake.sources.live.chat_downloader.rows import IS_SILENT, NOT_KEPT, action_rows, event_rows
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import capture_rows, stated_captures
from data_lake.sources.reading.chat import Viewers, cheers_of
from data_lake.sources.reading.columns import one_row
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.heads import are_json_lines
from data_lake.sources.reading.repair import prove_lines, session
from data_lake.sources.reading.sidecars import stated_text, stated_time
from data_lake.sources.reading.splitting import ahead, split_lines
from data_lake.sources.reading.starts import settled, starts_told

# How YouTube's items begin; nothing inside them begins so. Twitch's begin with any member.
_ITEM = re.compile(rb'\{\s*"(?:action_type|time_in_seconds)"\s*:')
_HELD_BATCHES = 4
_YOUTUBE_ACTIONS = "^(?:add_|mark_|replace_|remove_|show_|update_|close_)"
_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages, stream_events and moderation_actions, then a snapshot of channel, stream and viewers.

    Items that cannot be read are bad rows of chat_messages.
    """
    try:
        stated = _stated(export)
    except ValueError as error:
        yield Problem(None, str(error))
        return
    problems: list[Problem] = []
    blocks = read_utf8(export.path, problems, stated_text(export.sidecar, "encoding"))
    first = next(blocks, b"")
    stream = chain([first], blocks)
    with session() as con:
        if are_json_lines(first[:65536].decode("utf-8", errors="replace")):
            tables = split_lines(stream)
        else:
            begins = _ITEM if _ITEM.search(first[:65536]) else None
            tables = split_elements(con.cursor(), stream, row_start=begins)
        chat = _Chat(con, stated, f"{export.path.name}.yml")
        held: list[pa.Table] = []
        for pieces in ahead(tables):
            held.append(pieces)
            # The first items may be such that do not tell the site.
            if chat.knows_platform(pieces) or len(held) == _HELD_BATCHES:
                for table in held:
                    yield from chat.rows(table)
                held.clear()
        for table in held:
            yield from chat.rows(table)
    yield from problems
    yield from chat.snapshots()


@dataclass
class _Chat:
    """The rows of one file, and what is known of its channels and viewers so far."""

    con: duckdb.DuckDBPyConnection
    stated: dict[str, Any]
    sidecar_name: str
    viewers: Viewers = field(default_factory=Viewers)
    channels: set[str] = field(default_factory=set)
    starts: list[datetime] = field(default_factory=list)
    last: datetime | None = None
    complaints: set[str] = field(default_factory=set)

    def knows_platform(self, pieces: pa.Table) -> bool:
        """Whether the site is known, by what the sidecar says or by these items."""
        if self.stated["platform"] is None:
            self.con.register("pieces", self._proven(pieces))
            self.stated["platform"] = _platform(self.con)
            self.con.unregister("pieces")
        return self.stated["platform"] is not None

    def rows(self, pieces: pa.Table) -> Iterator[Rows | Problem]:
        """What the items of a batch are; items of no known site are none of anything."""
        if self.stated["platform"] is None:
            yield from self._of_no_site(pieces)
            return
        fast, unnamed, pieces = fast_rows(pieces, self.stated)
        yield from unnamed
        if len(fast):
            self._note(fast)
            yield Rows("chat_messages", fast)
            yield from cheers_of(fast)
            self.last = fast["sent_at"][-1].as_py() if not len(pieces) else self.last
        tables = [fast]
        if len(pieces):
            read_items(self.con, self._proven(pieces), self.stated["started_at"], NOT_KEPT, IS_SILENT)
            others, unnamed = message_rows(self.con, self.stated)
            yield from unnamed
            self._note(others)
            events = event_rows(self.con, self.stated)
            actions, self.last = action_rows(self.con, self.stated, fast, self.last)
            for entity, table in (
                ("chat_messages", others),
                ("stream_events", events),
                ("moderation_actions", actions),
            ):
                if table is not None and len(table):
                    tables.append(table)
                    yield Rows(entity, table)
            yield from cheers_of(others)
            named = self.con.execute("select distinct channel from items where channel is not null").fetchall()
            self.channels |= {channel for (channel,) in named}
        is_unplaced = any(
            pc.any(pc.and_(pc.is_null(table["channel_id"]), pc.is_null(table[PROBLEM]))).as_py()
            for table in tables
            if len(table)
        )
        if is_unplaced:
            yield from self._complain(
                "the chat does not say its channel: write channel_id, and stream_id (the video's id) or vod_id,"
            )

    def _proven(self, pieces: pa.Table) -> pa.Table:
        """The pieces, each of them JSON or with a problem."""
        return pa.concat_tables(prove_lines(self.con.cursor(), [pieces])) if len(pieces) else pieces

    def _note(self, messages: pa.Table) -> None:
        self.viewers.note(messages, "viewer_id", "viewer_login", "viewer_display_name")
        self.starts = self.starts or starts_told(messages)
        if self.stated["platform"] == "twitch":
            good = messages.filter(pc.is_null(messages[PROBLEM]))
            self.channels |= {channel for channel in pc.unique(good["channel_id"]).to_pylist() if channel}

    def _of_no_site(self, pieces: pa.Table) -> Iterator[Rows | Problem]:
        read_items(self.con, self._proven(pieces), self.stated["started_at"], NOT_KEPT, IS_SILENT)
        messages, _ = message_rows(self.con, self.stated)
        unknown = pa.array(["the site is not known"] * len(messages), pa.string())
        problem = pc.coalesce(messages[PROBLEM], unknown)
        yield Rows("chat_messages", messages.set_column(messages.schema.get_field_index(PROBLEM), PROBLEM, problem))
        yield from self._complain("the items do not say which site they are from: write platform (youtube or twitch)")

    def _complain(self, sentence: str) -> Iterator[Problem]:
        """Says once what the sidecar should state."""
        if sentence not in self.complaints:
            self.complaints.add(sentence)
            yield Problem(None, f"{sentence} into its sidecar {self.sidecar_name}")

    def snapshots(self) -> Iterator[Rows | Problem]:
        """One snapshot of the channel, the stream and each viewer; a problem where the start stated is not true."""
        if self.stated["platform"]:
            started_at, problem = settled(self.stated["started_at"], self.starts)
            if problem:
                yield Problem(None, problem)
            yield from _snapshots({**self.stated, "started_at": started_at}, self.channels)
            yield from self.viewers.snapshots(self.stated["platform"])


def _stated(export: Export) -> dict[str, Any]:
    """What the sidecar says. Raises ValueError for a time that is none."""
    side = export.sidecar
    platform, stream_id, vod_id = (stated_text(side, name) for name in ("platform", "stream_id", "vod_id"))
    login = stated_text(side, "channel_login")
    stream = stream_id or (f"vod:{vod_id}" if vod_id else None)
    channel = stated_text(side, "channel_id") or (f"login:{login.lower()}" if login else None)
    return {
        "platform": platform.lower() if platform else None,
        "channel_id": channel or (f"stream:{stream}" if stream else None),
        "login": login.lower() if login else None,
        "stream_id": stream,
        "vod_id": vod_id,
        "title": stated_text(side, "stream_title"),
        "started_at": stated_time(side, "stream_started_at"),
        "ended_at": stated_time(side, "stream_ended_at"),
        "captures": stated_captures(side),
    }


def _platform(con: duckdb.DuckDBPyConnection) -> str | None:
    """The site most items of `pieces` are from."""
    counts = con.execute(
        f"""
        with members as (
            select extracted[1] as action, extracted[2] as author, extracted[3] as channel, extracted[4] as message
            from (select json_extract_string(case when {PROBLEM} is null then {TEXT} end,
                ['$.action_type', '$.author.id', '$.channel_id', '$.message_id']) as extracted from pieces)
        )
        select
            count(*) filter (regexp_matches(action, $actions) or regexp_full_match(author, 'UC[\\w-]{{22}}')),
            count(*) filter (not coalesce(regexp_matches(action, $actions), false)
                and (channel is not null or regexp_matches(message, $uuid)))
        from members""",
        {"actions": _YOUTUBE_ACTIONS, "uuid": _UUID},
    ).fetchone()
    youtube, twitch = counts if counts else (0, 0)
    return None if youtube == twitch == 0 else "youtube" if youtube >= twitch else "twitch"


def _snapshots(stated: Mapping[str, Any], channels: set[str]) -> Iterator[Rows]:
    platform, channel_id = stated["platform"], stated["channel_id"]
    if channel_id and not channel_id.startswith("stream:"):
        yield Rows("channels", one_row(platform=platform, channel_id=channel_id, login=stated["login"]))
    for channel in sorted(channels - {channel_id}):
        yield Rows("channels", one_row(platform=platform, channel_id=channel))
    if stated["stream_id"]:
        started_at = stated["started_at"]
        yield Rows(
            "streams",
            one_row(
                platform=platform,
                stream_id=stated["stream_id"],
                channel_id=channel_id,
                title=stated["title"],
                started_at=started_at,
                started_date=started_at.date() if started_at else None,
                ended_at=stated["ended_at"],
                vod_id=stated["vod_id"] or (stated["stream_id"] if platform == "youtube" else None),
            ),
        )
    if channel_id:
        yield from capture_rows(stated["captures"], platform, channel_id, stated["stream_id"])
