"""Lines of a plain chat log to messages, and notices among them to events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.chat_text import EXPECTED
from data_lake.sources.live.chat_text.lines import read_lines
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.captures import Capture, capture_rows, stated_captures
from data_lake.sources.reading.chat import by_login
from data_lake.sources.reading.columns import constant, text_where_broken, where
from data_lake.sources.reading.sidecars import stated_text, stated_time
from data_lake.sources.reading.splitting import split_lines
from data_lake.sources.reading.twitch_notices import Event, Notices, may_be_notices

BATCH_BYTES = 1 << 20

_LOGIN = r"^[a-z0-9_]{1,25}$"
_EVENT_COLUMNS = {"event_type": pa.string(), "tier": pa.string(), "month_count": pa.int64(), "gift_count": pa.int64(),
                  "gift_group_id": pa.string(), "message_text": pa.string(), "extra": pa.string()}  # fmt: skip


@dataclass(frozen=True)
class _Stream:
    """What the sidecar states about the log."""

    platform: str
    channel_id: str
    channel_login: str | None
    stream_id: str | None
    vod_id: str | None
    started_at: datetime | None
    ended_at: datetime | None
    title: str | None
    captures: list[Capture]


def read(export: Export) -> Iterator[Rows | Problem]:
    """Yield chat_messages and stream_events, and one snapshot each of the channel and the stream the sidecar states.

    A line that does not begin with a time and a name is a bad row of chat_messages. Without the sidecar's platform and
    channel nothing can be read, and a problem says what to write into it.
    """
    try:
        stream = _stated(export)
    except ValueError as error:
        yield Problem(None, str(error))
        return
    problems: list[Problem] = []
    notices = Notices("\x1f".join([stream.platform, stream.channel_id, stream.stream_id or ""]))
    needs_start = False
    encoding = stated_text(export.sidecar, "encoding")
    for lines in split_lines(read_utf8(export.path, problems, encoding), BATCH_BYTES):
        messages, events, lacked_start = _read_lines(lines, stream, notices)
        if lacked_start and not needs_start:
            needs_start = True
            yield Problem(
                None,
                "the log states times since the start of the stream: write stream_started_at "
                f"(such as 2026-01-31T12:00:00Z) into its sidecar {export.path.name}.yml",
            )
        yield Rows("chat_messages", messages)
        if events is not None:
            yield Rows("stream_events", events)
    yield from problems
    yield Rows("channels", _snapshot(stream, {"login": stream.channel_login}))
    if stream.stream_id:
        yield Rows("streams", _snapshot(stream, _stream_columns(stream)))
    yield from capture_rows(stream.captures, stream.platform, stream.channel_id, stream.stream_id)


def _stated(export: Export) -> _Stream:
    """Read the sidecar. Raises ValueError naming the key that is missing or wrong."""
    sidecar = export.sidecar
    platform, channel_id = stated_text(sidecar, "platform"), stated_text(sidecar, "channel_id")
    login = stated_text(sidecar, "channel_login")
    missing = ["platform"] * (not platform) + ["channel_id or channel_login"] * (not (channel_id or login))
    if missing or not platform:
        raise ValueError(f"a chat log does not say where it is from: write {' and '.join(missing)} into its sidecar "
                         f"{export.path.name}.yml")  # fmt: skip
    vod_id = stated_text(sidecar, "vod_id")
    return _Stream(
        platform=platform.lower(),
        channel_id=channel_id or f"login:{(login or '').lower()}",
        channel_login=login.lower() if login else None,
        stream_id=stated_text(sidecar, "stream_id") or (f"vod:{vod_id}" if vod_id else None),
        vod_id=vod_id,
        started_at=stated_time(sidecar, "stream_started_at"),
        ended_at=stated_time(sidecar, "stream_ended_at"),
        title=stated_text(sidecar, "stream_title"),
        captures=stated_captures(sidecar),
    )


def _stream_columns(stream: _Stream) -> dict[str, Any]:
    return {
        "stream_id": stream.stream_id,
        "vod_id": stream.vod_id,
        "title": stream.title,
        "started_at": stream.started_at,
        "started_date": stream.started_at.date() if stream.started_at else None,
        "ended_at": stream.ended_at,
    }


def _snapshot(stream: _Stream, columns: dict[str, Any]) -> pa.Table:
    """One row about what the sidecar states."""
    times = {"started_at": pa.timestamp("us"), "ended_at": pa.timestamp("us"), "started_date": pa.date32()}
    row = {"platform": stream.platform, "channel_id": stream.channel_id, **columns}
    table = {name: pa.array([value], times.get(name, pa.string())) for name, value in row.items()}
    return pa.table({**table, ROW: pa.array([1], pa.int64()), PROBLEM: pa.nulls(1, pa.string())})


def _read_lines(lines: pa.Table, stream: _Stream, notices: Notices) -> tuple[pa.Table, pa.Table | None, bool]:
    """Messages (with the bad lines), events, and whether a line needed the start of the stream in vain."""
    original = lines.column(TEXT).combine_chunks()
    read = read_lines(original, stream.started_at)
    problem = lines.column(PROBLEM).combine_chunks()
    reasons = (
        (pc.invert(read.fits), f"the line does not begin with a time and a name; expected {EXPECTED}"),
        (read.lacks_start, "the sidecar does not state stream_started_at"),
        (pc.is_null(read.sent_at), "the time of the line is no moment"),
    )
    for is_broken, reason in reasons:
        if pc.any(is_broken).as_py():
            problem = pc.coalesce(problem, where(is_broken, reason))
    count = len(original)
    table = pa.table(
        {
            "platform": constant(stream.platform, count),
            "channel_id": constant(stream.channel_id, count),
            "stream_id": constant(stream.stream_id, count),
            "sent_at": read.sent_at,
            **by_login(read.name),
            "viewer_display_name": read.name,
            "offset_seconds": read.offset,
            "text": read.text,
            "message_type": constant("chat", count),
            ROW: lines.column(ROW),
            TEXT: text_where_broken(problem, original),
            PROBLEM: problem,
        }
    )
    return *_chat_and_events(table, notices), bool(pc.any(read.lacks_start).as_py())


def _chat_and_events(table: pa.Table, notices: Notices) -> tuple[pa.Table, pa.Table | None]:
    """The rows that are no notices, and the stream_events the others report."""
    at = may_be_notices(table["text"].combine_chunks())
    found: list[tuple[int, Event]] = []
    noticed: list[int] = []
    for place, row in zip(at.tolist(), table.take(at).to_pylist(), strict=True):
        if row[PROBLEM] is not None:
            continue
        events = notices.read(row["viewer_display_name"], row["text"], row["sent_at"].timestamp())
        if events is not None:
            noticed.append(place)
            found += [(place, event) for event in events]
    if not noticed:
        return table, None
    is_chat = np.ones(len(table), dtype=np.bool_)
    is_chat[noticed] = False
    about = table.select(["platform", "channel_id", "stream_id", "sent_at", ROW, TEXT, PROBLEM])
    about = about.take(pa.array([place for place, _ in found], pa.int64())).rename_columns({"sent_at": "occurred_at"})
    said = [asdict(event) for _, event in found]
    for name, kind in _EVENT_COLUMNS.items():
        about = about.append_column(name, pa.array([s[name] for s in said], kind))
    for name, key in (("viewer_id", "viewer"), ("gift_recipient_id", "recipient")):
        ids = [f"login:{s[key].lower()}" if s[key] else None for s in said]
        about = about.append_column(name, pa.array(ids, pa.string()))
    logins = [s["viewer"].lower() if s["viewer"] and re.match(_LOGIN, s["viewer"].lower()) else None for s in said]
    return table.filter(pa.array(is_chat)), about.append_column("viewer_login", pa.array(logins, pa.string()))
