"""Lines of a plain chat log to messages, and notices among them to events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.sources.base import PROBLEM, ROW, TEXT, Export, Problem, Rows
from data_lake.sources.live.chat_text import EXPECTED, HEAD, SAID
from data_lake.sources.reading.blocks import read_utf8
from data_lake.sources.reading.chat import said_by
from data_lake.sources.reading.sidecars import stated_text, stated_time
from data_lake.sources.reading.splitting import split_lines
from data_lake.sources.reading.twitch_notices import CANDIDATE, Event, Notices

# A bound inside the expression makes it several times as slow.
LONGEST_NAME = 100
# Epoch numbers of this many or more are milliseconds, and then microseconds (seconds reach 1e11 in the year 5138).
MILLISECONDS, MICROSECONDS = 10**11, 10**14
BATCH_BYTES = 4 << 20

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
        if events.num_rows:
            yield Rows("stream_events", events)
    yield from problems
    yield Rows("channels", _snapshot(stream, {"login": stream.channel_login}))
    if stream.stream_id:
        yield Rows("streams", _snapshot(stream, _stream_columns(stream)))


def _stated(export: Export) -> _Stream:
    """Read the sidecar. Raises ValueError naming the key that is missing or wrong."""
    said = export.sidecar
    platform, channel_id = stated_text(said, "platform"), stated_text(said, "channel_id")
    login = stated_text(said, "channel_login")
    missing = ["platform"] * (not platform) + ["channel_id or channel_login"] * (not (channel_id or login))
    if missing or not platform:
        raise ValueError(f"a chat log does not say where it is from: write {' and '.join(missing)} into its sidecar "
                         f"{export.path.name}.yml")  # fmt: skip
    vod_id = stated_text(said, "vod_id")
    return _Stream(
        platform=platform.lower(),
        channel_id=channel_id or f"login:{(login or '').lower()}",
        channel_login=login.lower() if login else None,
        stream_id=stated_text(said, "stream_id") or (f"vod:{vod_id}" if vod_id else None),
        vod_id=vod_id,
        started_at=stated_time(said, "stream_started_at"),
        ended_at=stated_time(said, "stream_ended_at"),
        title=stated_text(said, "stream_title"),
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


def _read_lines(lines: pa.Table, stream: _Stream, notices: Notices) -> tuple[pa.Table, pa.Table, bool]:
    """Messages (with the bad lines), events, and whether a line needed the start of the stream in vain."""
    original = lines.column(TEXT).combine_chunks()
    parts = said_by(original, HEAD, SAID)
    field = {name: pc.struct_field(parts, name) for name in (f.name for f in parts.type)}
    offset, sent_at = _times(field, stream)
    fits = pc.fill_null(pc.less_equal(pc.utf8_length(field["name"]), LONGEST_NAME), False)
    lacks_start = pc.and_kleene(pc.is_valid(offset), pc.is_null(sent_at))
    problem = pc.coalesce(
        lines.column(PROBLEM).combine_chunks(),
        _where(pc.invert(fits), f"the line does not begin with a time and a name; expected {EXPECTED}"),
        _where(lacks_start, "the sidecar does not state stream_started_at"),
        _where(pc.is_null(sent_at), "the time of the line is no moment"),
    )
    good = pc.is_null(problem)
    login = pc.utf8_lower(field["name"])
    count = len(original)
    table = pa.table(
        {
            "platform": pa.repeat(stream.platform, count),
            "channel_id": pa.repeat(stream.channel_id, count),
            "stream_id": pa.repeat(pa.scalar(stream.stream_id, pa.string()), count),
            "sent_at": sent_at,
            "viewer_id": pc.binary_join_element_wise("login", login, ":"),
            "viewer_login": pc.if_else(pc.match_substring_regex(login, _LOGIN), login, None),
            "viewer_display_name": field["name"],
            "offset_seconds": offset,
            "text": field["text"],
            "message_type": pa.repeat("chat", count),
            ROW: lines.column(ROW),
            TEXT: pc.if_else(good, pa.scalar(None, pa.string()), original),
            PROBLEM: problem,
        }
    )
    is_notice, events = _events(table, good, notices)
    return table.filter(pc.invert(is_notice)), events, bool(pc.any(lacks_start).as_py())


def _times(field: dict[str, pa.Array], stream: _Stream) -> tuple[pa.Array, pa.Array]:
    """(offset_seconds, sent_at) of each line, null where the line or the sidecar does not say."""
    hours = _number(field["hours"], pa.int64())
    negative = pc.starts_with(field["hours"], "-")
    clock = pc.add(pc.multiply(_number(field["minutes"], pa.float64()), 60.0), _number(field["seconds"], pa.float64()))
    magnitude = pc.add(pc.multiply(pc.abs(hours).cast(pa.float64()), 3600.0), clock)
    offset = pc.if_else(negative, pc.negate(magnitude), magnitude)
    epoch = _number(field["epoch"], pa.int64())
    scaled = pc.if_else(
        pc.less(epoch, MILLISECONDS),
        pc.multiply(epoch, 1_000_000),
        pc.if_else(pc.less(epoch, MICROSECONDS), pc.multiply(epoch, 1000), epoch),
    )
    stated = pc.strptime(field["utc"], format="%Y-%m-%d %H:%M:%S", unit="us", error_is_null=True)
    absolute = pc.coalesce(stated, scaled.cast(pa.timestamp("us")))
    start = pa.scalar(stream.started_at, pa.timestamp("us"))
    since = pc.multiply(offset, 1_000_000.0).cast(pa.int64(), safe=False).cast(pa.duration("us"))
    sent_at = pc.coalesce(absolute, pc.add(start, since))
    elapsed = pc.divide(pc.subtract(absolute, start).cast(pa.int64()).cast(pa.float64()), 1_000_000.0)
    return pc.coalesce(offset, elapsed), sent_at


def _number(digits: pa.Array, to: pa.DataType) -> pa.Array:
    """The digits as numbers; null where the part of the line is absent, which extract_regex gives as ''."""
    return pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), digits).cast(to)


def _where(condition: pa.Array, reason: str) -> pa.Array:
    return pc.if_else(condition, pa.scalar(reason), pa.scalar(None, pa.string()))


def _events(table: pa.Table, good: pa.Array, notices: Notices) -> tuple[pa.Array, pa.Table]:
    """Which rows are notices, and the stream_events they report."""
    candidates = pc.and_kleene(good, pc.match_substring_regex(table.column("text").combine_chunks(), CANDIDATE))
    at = pc.indices_nonzero(pc.fill_null(candidates, False)).to_pylist()
    found: list[tuple[int, Event]] = []
    noticed: list[int] = []
    for place, row in zip(at, table.take(pa.array(at, pa.int64())).to_pylist(), strict=True):
        events = notices.read(row["viewer_display_name"], row["text"], row["sent_at"].timestamp())
        if events is not None:
            noticed.append(place)
            found += [(place, event) for event in events]
    is_notice = pc.is_in(pa.array(range(table.num_rows), pa.int64()), pa.array(noticed, pa.int64()))
    about = table.select(["platform", "channel_id", "stream_id", "sent_at", ROW, TEXT, PROBLEM])
    about = about.take(pa.array([place for place, _ in found], pa.int64())).rename_columns({"sent_at": "occurred_at"})
    said = [asdict(event) for _, event in found]
    for name, kind in _EVENT_COLUMNS.items():
        about = about.append_column(name, pa.array([s[name] for s in said], kind))
    for name, key in (("viewer_id", "viewer"), ("gift_recipient_id", "recipient")):
        ids = [f"login:{s[key].lower()}" if s[key] else None for s in said]
        about = about.append_column(name, pa.array(ids, pa.string()))
    logins = [s["viewer"].lower() if s["viewer"] and re.match(_LOGIN, s["viewer"].lower()) else None for s in said]
    return is_notice, about.append_column("viewer_login", pa.array(logins, pa.string()))
