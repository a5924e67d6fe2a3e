"""The time of a sample world: it ends with LAST_DAY, and nothing in it reads the real clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

LAST_DAY = date(2026, 10, 31)


def epoch(day: date) -> int:
    """Seconds from 1970 to the UTC start of a day."""
    return (day - date(1970, 1, 1)).days * 86_400


def moment(seconds: float) -> datetime:
    """Naive UTC time of an epoch, to the microsecond."""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None) + timedelta(
        microseconds=round(seconds % 1 * 1e6)
    )
