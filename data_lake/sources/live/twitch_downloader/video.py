"""What a TwitchDownloader file says beside its comments: the streamer, the VOD, its chapters, when it was written.

Every version is read into one `Video`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT, Problem, Rows
from data_lake.sources.live.twitch_downloader.start import Start, judge
from data_lake.sources.reading.captures import Capture, capture_rows

MEMBERS = ("FileInfo", "streamer", "clipper", "video")

_TIMESTAMP = pa.timestamp("us")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNSET = datetime(1971, 1, 1)  # .NET writes the year 1 for a time that was never set


@dataclass(frozen=True)
class FirstComment:
    """What the first comment says of its stream, for files that lack it elsewhere."""

    channel_id: str | None = None
    vod_id: str | None = None
    started_at: datetime | None = None


@dataclass
class Video:
    """A VOD as a file describes it; times naive UTC, what the file does not say None.

    `is_part`: a clip, a highlight or an upload of an earlier stream. It is no broadcast and has no start; its comments
    count from another one, and their own times are used.
    """

    vod_id: str | None = None
    channel_id: str | None = None
    login: str | None = None
    display_name: str | None = None
    started_at: datetime | None = None
    observed_at: datetime | None = None
    is_part: bool = False
    streams: list[dict[str, Any]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    capture: Capture | None = None

    @property
    def stream_id(self) -> str | None:
        """The stand-in for the stream's id."""
        return f"vod:{self.vod_id}" if self.vod_id else None

    @classmethod
    def read(
        cls, members: Mapping[str, Any], first_comment: Callable[[], FirstComment], by_comments: Sequence[datetime]
    ) -> tuple[Video, list[Problem]]:
        """The video of a file's members, and what of them cannot be read or is not true.

        `first_comment` is asked where the members leave something open; `by_comments` are starts as comments say.
        """
        reader = _Reader()
        info = reader.mapping(members.get("FileInfo"), "FileInfo")
        streamer = reader.mapping(members.get("streamer"), "streamer")
        video = reader.mapping(members.get("video"), "video")
        is_clip = bool(members.get("clipper"))
        vod_id = None if is_clip else _text(video.get("id"))
        channel_id = _text(streamer.get("id")) or _text(video.get("user_id"))
        started_at = reader.time(video, "created_at", "video")
        is_complete = vod_id and channel_id and channel_id != "0" and started_at
        first = FirstComment() if is_complete else first_comment()
        start = Start(started_at or first.started_at)
        if started_at and not is_clip:
            start = judge(started_at, by_comments, info.get("CreatedAt"))
        if start.problem:
            reader.problems.append(Problem(None, start.problem))
        is_earlier = start.moment is None and started_at is not None
        updated, created = reader.time(info, "UpdatedAt", "FileInfo"), reader.time(info, "CreatedAt", "FileInfo")
        described = cls(
            vod_id=None if is_earlier else (vod_id or first.vod_id or "").removeprefix("v") or None,
            channel_id=channel_id if channel_id and channel_id != "0" else first.channel_id,
            login=(_text(streamer.get("login")) or _text(video.get("user_login")) or "").lower() or None,
            display_name=_text(streamer.get("name")) or _text(video.get("user_name")),
            started_at=None if is_clip else start.moment,
            observed_at=updated or created,
            is_part=is_clip or is_earlier,
        )
        if not described.is_part and (video or described.started_at):
            described._read_stream(video)
        return described, reader.problems

    def _read_stream(self, video: Mapping[str, Any]) -> None:
        if self.stream_id is None:
            return
        reader = _Reader()
        duration = reader.number(video, "length", "video")
        if duration is None and video.get("duration") is not None:
            duration = reader.duration(video, "duration", "video")
        views = reader.number(video, "viewCount", "video")
        tags = {name: video[name] for name in ("description", "start", "end") if video.get(name) is not None}
        self.streams.append(
            {
                "channel_id": self.channel_id,
                "title": _text(video.get("title")),
                "category_name": _text(video.get("game")),
                "started_at": self.started_at,
                "started_date": self.started_at.date() if self.started_at else None,
                "ended_at": _after(self.started_at, duration),
                "duration_seconds": duration,
                "vod_id": self.vod_id,
                "vod_view_count": int(views) if views is not None else None,
                "extra": json.dumps(tags, ensure_ascii=False, sort_keys=True) if tags else None,
                ROW: 1,
                **reader.row(video),
            }
        )
        self.capture = self._capture(
            reader.number(video, "start", "video"), reader.number(video, "end", "video"), duration
        )
        chapters = video.get("chapters")
        for row, chapter in enumerate(chapters if isinstance(chapters, list) else [], start=1):
            self.segments.append(self._segment(row, chapter))

    def _capture(self, start: float | None, end: float | None, length: float | None) -> Capture | None:
        """The part of the VOD whose chat was asked for: `start` to `end`, seconds; older files state no length."""
        covered_from, covered_to = _after(self.started_at, start), _after(self.started_at, end)
        if start is None or end is None or covered_from is None or covered_to is None:
            return None
        is_complete = start < 1 and (length is None or end > length - 1)
        return Capture(covered_from, covered_to, is_complete)

    def _segment(self, row: int, chapter: Any) -> dict[str, Any]:
        reader = _Reader()
        chapter = reader.mapping(chapter, "chapter")
        start = reader.number(chapter, "startMilliseconds", "chapter")
        length = reader.number(chapter, "lengthMilliseconds", "chapter")
        began = _after(self.started_at, start / 1000 if start is not None else None)
        kept = {name: chapter[name] for name in ("type", "subDescription") if chapter.get(name)}
        if length is not None and length < 0:
            reader.fault(f"chapter.lengthMilliseconds: {length:g} is negative")
        if self.started_at and began is None:
            reader.fault("chapter.startMilliseconds is missing or out of range")
        return {
            "segment_started_at": began,
            "segment_ended_at": _after(began, length / 1000 if length else None),
            "category_id": _text(chapter.get("gameId")),
            "category_name": _text(chapter.get("gameDisplayName")) or _text(chapter.get("description")),
            "extra": json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None,
            ROW: row,
            **reader.row(chapter),
        }

    def rows(self) -> Iterator[Rows]:
        """Rows of channels, streams, stream_segments and chat_captures."""
        snapshot = {"platform": "twitch", "observed_at": self.observed_at}
        if self.channel_id:
            channel = {
                **snapshot,
                "channel_id": self.channel_id,
                "login": self.login,
                "display_name": self.display_name,
            }
            yield Rows("channels", _table([{**channel, ROW: 1}]))
        stream = {**snapshot, "stream_id": self.stream_id}
        if self.streams:
            yield Rows("streams", _table([{**stream, **row} for row in self.streams]))
        if self.segments:
            yield Rows("stream_segments", _table([{**stream, **row} for row in self.segments]))
        if self.channel_id and self.capture:
            yield from capture_rows([self.capture], "twitch", self.channel_id, self.stream_id)


class _Reader:
    """Reads values of a file as they should be, and remembers those that are not."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fault(self, reason: str, text: str = "") -> None:
        self.problems.append(Problem(None, reason, text))

    def row(self, value: Any) -> dict[str, Any]:
        """The columns a row needs for what is wrong with it."""
        if not self.problems:
            return {TEXT: None, PROBLEM: None}
        return {TEXT: json.dumps(value, ensure_ascii=False), PROBLEM: self.problems[0].reason}

    def mapping(self, value: Any, name: str) -> Mapping[str, Any]:
        if value is not None and not isinstance(value, dict):
            self.fault(f"{name} is not an object", json.dumps(value)[:1000])
        return value if isinstance(value, dict) else {}

    def number(self, members: Mapping[str, Any], key: str, where: str) -> float | None:
        value = members.get(key)
        if value is None or value == "":
            return None
        try:
            number = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or abs(number) > 2**53:
            self.fault(f"{where}.{key}: {value!r:.100} is not a number")
            return None
        return number

    def duration(self, members: Mapping[str, Any], key: str, where: str) -> float | None:
        """Seconds of a length such as 3h21m05s, or of a number."""
        parts = _DURATION.fullmatch(str(members[key]).strip())
        if not parts or not any(parts.groups()):
            return self.number(members, key, where)
        hours, minutes, seconds = (int(part or 0) for part in parts.groups())
        return float(hours * 3600 + minutes * 60 + seconds)

    def time(self, members: Mapping[str, Any], key: str, where: str) -> datetime | None:
        value = members.get(key)
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", value))
            moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (TypeError, ValueError, OverflowError):
            if not str(value).startswith("0001-01-01"):
                self.fault(f"{where}.{key}: {value!r:.100} is not a time")
            return None
        return moment if moment > _UNSET else None


def _text(value: Any) -> str | None:
    """Text of a text or number, None for everything else and for what is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def _after(start: datetime | None, seconds: float | None) -> datetime | None:
    try:
        return start + timedelta(seconds=seconds) if start is not None and seconds is not None else None
    except OverflowError:
        return None


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a table; columns that hold only None get no type of their own but text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    types = {
        ROW: pa.int64(),
        "duration_seconds": pa.float64(),
        "vod_view_count": pa.int64(),
        "started_date": pa.date32(),
    }
    columns = {}
    for name in names:
        kind = _TIMESTAMP if name.endswith("_at") else types.get(name, pa.string())
        columns[name] = pa.array([row.get(name) for row in rows], kind)
    for name in (TEXT, PROBLEM):
        columns.setdefault(name, pa.nulls(len(rows), pa.string()))
    return pa.table(columns)
