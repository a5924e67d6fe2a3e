"""What part of a channel's chat a file covers, as far as it or its sidecar says: rows of chat_captures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pyarrow as pa

from data_lake.sources.base import PROBLEM, ROW, TEXT, Rows
from data_lake.sources.reading.sidecars import stated_time

# No broadcast lasts longer: what states more is no statement about a stream.
LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class Capture:
    """A stretch of time, naive UTC, of which every message is in the file; `is_complete`: and of its whole stream."""

    covered_from: datetime
    covered_to: datetime
    is_complete: bool = False


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
