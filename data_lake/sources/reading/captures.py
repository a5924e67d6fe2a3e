"""What part of a channel's chat a file covers, as far as it or its sidecar says: rows of chat_captures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_lake.contracts import EARLIEST, LATEST
from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows
from data_lake.sources.reading.sidecars import stated_time

# No broadcast lasts longer: what states more is no statement about a stream.
LONGEST = timedelta(days=31)
_EARLIEST, _LATEST = (pa.scalar(datetime.fromisoformat(at), pa.timestamp("us")) for at in (EARLIEST, LATEST))


@dataclass(frozen=True)
class Capture:
    """A stretch of time, naive UTC, of which every message is in the file; `is_complete`: and of its whole stream."""

    covered_from: datetime
    covered_to: datetime
    is_complete: bool = False


@dataclass
class _Stretch:
    """A stretch being read: when it is said to begin and end, and the bounds of its lines; None: not known."""

    begins: datetime | None = None
    ends: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None


class Stretches:
    """What a log covers, told in its order: when logging began and ended, and the times of the lines between.

    An end that is not said is that of the last line, a beginning that is not said that of the first.
    """

    def __init__(self) -> None:
        self._closed: list[_Stretch] = []
        self._open: _Stretch | None = None
        self._is_stated = False

    def begin(self, at: datetime | None = None) -> None:
        """Logging began, at this time if it is known; whatever was covered before ended with its last line."""
        self.end()
        self._open = _Stretch(begins=at)

    def end(self, at: datetime | None = None) -> None:
        """Logging ended, at this time if it is known."""
        self._is_stated = True
        if self._open is not None:
            self._open.ends = at
            self._closed.append(self._open)
            self._open = None

    def lines(self, sent_at: pa.Array | pa.ChunkedArray) -> None:
        """Lines were logged at these times; nulls, and what is no moment of a row, are left out."""
        is_moment = pc.and_(pc.greater_equal(sent_at, _EARLIEST), pc.less(sent_at, _LATEST))
        bounds = pc.min_max(sent_at.filter(is_moment)).as_py()
        if bounds["min"] is None:
            return
        stretch = self._open = self._open or _Stretch()
        stretch.first = min(stretch.first or bounds["min"], bounds["min"])
        stretch.last = max(stretch.last or bounds["max"], bounds["max"])

    def captures(self) -> list[Capture]:
        """The stretches so far; none where nothing was said of a beginning or an end."""
        if not self._is_stated:
            return []
        bounds = [
            (stretch.begins or stretch.first, stretch.ends or stretch.last)
            for stretch in [*self._closed, *([self._open] if self._open else [])]
        ]
        return [Capture(begins, ends) for begins, ends in bounds if begins is not None and ends is not None]


def stated_captures(sidecar: Mapping[str, Any]) -> list[Capture]:
    """The stretch that a sidecar states as `covered_from` and `covered_to`; none where it states neither.

    Raises ValueError, with what to write instead, for one of them alone, no moments, or an end before the start.
    """
    covered_from, covered_to = stated_time(sidecar, "covered_from"), stated_time(sidecar, "covered_to")
    if covered_from is None and covered_to is None:
        return []
    if covered_from is None or covered_to is None or not covered_from < covered_to <= covered_from + LONGEST:
        raise ValueError(
            "the sidecar's covered_from and covered_to belong together: write when the chat of the file begins and "
            f"ends, such as 2026-01-31T12:00:00Z, at most {LONGEST.days} days"
        )
    return [Capture(covered_from, covered_to)]


def capture_rows(captures: Iterable[Capture], platform: str, channel_id: str, stream_id: str | None) -> Iterator[Rows]:
    """Rows of chat_captures: one per stretch and UTC day, cut at midnight. Stretches that end before they begin, or
    last longer than any broadcast, say nothing and are left out."""
    parts = [
        (covered_from, covered_to, capture.is_complete)
        for capture in captures
        if capture.covered_from < capture.covered_to <= capture.covered_from + LONGEST
        for covered_from, covered_to in _days_of(capture)
    ]
    if not parts:
        return
    count = len(parts)
    yield Rows(
        "chat_captures",
        pa.table(
            {
                "platform": pa.repeat(platform, count),
                "channel_id": pa.repeat(channel_id, count),
                "stream_id": pa.repeat(pa.scalar(stream_id, pa.string()), count),
                "covered_from": pa.array([part[0] for part in parts], pa.timestamp("us")),
                "covered_to": pa.array([part[1] for part in parts], pa.timestamp("us")),
                "is_complete": pa.array([part[2] for part in parts], pa.bool_()),
                ROW: pa.repeat(1, count),
                TEXT: pa.nulls(count, pa.string()),
                PROBLEM: pa.nulls(count, pa.string()),
            }
        ),
    )


def _days_of(capture: Capture) -> Iterator[tuple[datetime, datetime]]:
    start = capture.covered_from
    while start < capture.covered_to:
        midnight = datetime.combine(start.date() + timedelta(1), time())
        yield start, min(midnight, capture.covered_to)
        start = midnight
