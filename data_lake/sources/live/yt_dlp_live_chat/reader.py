"""A file of yt-dlp's live chat to rows: the stream it belongs to and its batches of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from data_lake.sources.base import Export, Problem, Rows
from data_lake.sources.live.yt_dlp_live_chat.actions import read_actions
from data_lake.sources.live.yt_dlp_live_chat.rows import Place, events_of, judged, messages_of, moderation_of
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import capture_rows, stated_captures
from data_lake.sources.reading.chat import Viewers
from data_lake.sources.reading.columns import one_row
from data_lake.sources.reading.elements import split_elements
from data_lake.sources.reading.repair import session
from data_lake.sources.reading.sidecars import stated_text, stated_time
from data_lake.sources.reading.splitting import ahead, split_lines
from data_lake.sources.reading.starts import middle, settled, starts_told

_FILE_NAME = re.compile(r"^(?:(?P<title>.+?) ?[\[-])?(?P<video>[\w-]{11})\]?\.live_chat\.jsonl?(?:\.gz)?$", re.DOTALL)


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages, stream_events and moderation_actions, then a snapshot of channel, stream and viewers.

    Lines that cannot be read are bad rows of chat_messages. A chat of which neither channel nor video is known is kept,
    and a problem says what to write into its sidecar.
    """
    try:
        place, snapshot = _stated(export)
    except ValueError as error:
        yield Problem(None, str(error))
        return
    if place.channel_id is None:
        yield Problem(
            None,
            "the chat says neither channel nor video: write channel_id and stream_id (the video's id) into its sidecar "
            f"{export.path.name}.yml",
        )
    problems: list[Problem] = []
    last: datetime | None = None
    starts: list[datetime] = []
    viewers = Viewers()
    blocks = read_utf8(export.path, problems, stated_text(export.sidecar, "encoding"))
    with session() as con:
        first = next(blocks, b"")
        stream = chain([first], blocks)
        is_list = first[:1024].lstrip().startswith(b"[")
        pieces = split_elements(con.cursor(), stream) if is_list else split_lines(stream)
        for lines in ahead(pieces):
            actions = judged(read_actions(con, lines), last)
            messages = messages_of(actions, place)
            yield Rows("chat_messages", messages)
            events = events_of(actions, place)
            if events is not None:
                yield Rows("stream_events", events)
            removals, last = moderation_of(actions, place, last)
            if removals is not None:
                yield Rows("moderation_actions", removals)
            starts = starts or starts_told(messages)
            viewers.note(actions, "author", "login", "shown")
    yield from problems
    snapshot["started_at"], problem = settled(snapshot["started_at"], starts)
    if problem:
        yield Problem(None, problem)
    yield from _snapshots(place, snapshot, middle(starts))
    if place.channel_id:
        yield from capture_rows(snapshot["captures"], "youtube", place.channel_id, place.stream_id)
    yield from viewers.snapshots("youtube")


def _stated(export: Export) -> tuple[Place, dict[str, Any]]:
    """What the sidecar and the name of the file say. Raises ValueError for a time that is none."""
    name = _FILE_NAME.match(export.name)
    side = export.sidecar
    stream_id = stated_text(side, "stream_id") or stated_text(side, "vod_id") or (name["video"] if name else None)
    channel_id = stated_text(side, "channel_id")
    snapshot = {
        "login": stated_text(side, "channel_login"),
        "title": stated_text(side, "stream_title") or (name["title"] if name else None),
        "started_at": stated_time(side, "stream_started_at"),
        "ended_at": stated_time(side, "stream_ended_at"),
        "captures": stated_captures(side),
    }
    return Place(channel_id or (f"stream:{stream_id}" if stream_id else None), stream_id), snapshot


def _snapshots(place: Place, snapshot: dict[str, Any], told: datetime | None) -> Iterator[Rows]:
    start = told.replace(microsecond=0) if told else None
    is_known = place.channel_id is not None and not place.channel_id.startswith("stream:")
    if is_known:
        yield Rows("channels", one_row(platform="youtube", channel_id=place.channel_id, login=snapshot["login"]))
    if place.stream_id is None:
        return
    started_at = snapshot["started_at"] or start
    extra = '{"started_at":"told by the messages"}' if start and not snapshot["started_at"] else None
    started_date = started_at.date() if isinstance(started_at, datetime) else None
    yield Rows(
        "streams",
        one_row(
            platform="youtube",
            stream_id=place.stream_id,
            channel_id=place.channel_id,
            title=snapshot["title"],
            started_at=started_at,
            started_date=started_date,
            ended_at=snapshot["ended_at"],
            vod_id=place.stream_id,
            extra=extra,
        ),
    )
