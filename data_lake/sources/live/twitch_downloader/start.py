"""When a VOD began: what the file says, held against when its comments say that they were written.

A comment was written at the start of the stream plus its offset. Where that contradicts `created_at`:

- By hours that make a time zone, the same in every comment: a local time stands where UTC should. The comments' times
  are local where the difference is the zone the file itself was written in (`FileInfo.CreatedAt`; Twitch labelled
  local times as UTC, TwitchDownloader pull request 1342): then nothing is lost. Else the start is, and that is said.
- By anything else, the comments before the start: they were written in an earlier broadcast, of which this video is a
  highlight or an upload. It is no broadcast, and only `created_at` tells when they were written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from data_lake.sources.base import TEXT
from data_lake.sources.reading.starts import AGREES, in_words, middle, zone_between

_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)$")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_SAMPLED = 9  # comments asked, over the whole first batch


@dataclass(frozen=True)
class Start:
    """The start that offsets count from, None where comments have only their own times; and what is wrong, in words."""

    moment: datetime | None
    problem: str | None = None


def starts_of(comments: pa.Table | None) -> list[datetime]:
    """The start of the stream by some of these comments: created_at minus offset, naive UTC."""
    if comments is None or not len(comments):
        return []
    step = max(1, len(comments) // _SAMPLED)
    texts = comments[TEXT].take(list(range(0, len(comments), step))).to_pylist()
    return [start for start in map(_start_by, texts) if start is not None]


def _start_by(text: str | None) -> datetime | None:
    try:
        comment: Any = json.loads(text or "")
        written = datetime.fromisoformat(_FRACTION.sub(r"\1", comment["created_at"]))
        written = written.astimezone(UTC).replace(tzinfo=None) if written.tzinfo else written
        return written - timedelta(seconds=float(comment["content_offset_seconds"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def judge(stated: datetime, by_comments: Sequence[datetime], file_written: Any) -> Start:
    """The start of a video that states one; `file_written` is `FileInfo.CreatedAt` as it stands in the file."""
    zone = zone_between(stated, by_comments)
    if zone is not None:
        if zone == _zone_of(file_written):
            return Start(stated)
        return Start(
            stated + zone,
            f"video.created_at ({stated}) is no UTC: created_at of the comments is {in_words(zone)} it and their "
            f"offsets; the start was taken to be {stated + zone}",
        )
    written = middle(by_comments)
    return Start(None if written and written < stated - AGREES else stated)


def _zone_of(moment: Any) -> timedelta | None:
    """The time zone at the end of a time; None where there is none."""
    zone = _ZONE.search(moment) if isinstance(moment, str) else None
    return int(f"{zone[1]}1") * timedelta(hours=int(zone[2]), minutes=int(zone[3])) if zone else None
