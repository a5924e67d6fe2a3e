"""Ranges of UTC days, both ends included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

Range = tuple[date, date]
# Ranges in order; None stands for every day.
Days = tuple[Range, ...] | None
ALWAYS: Range = (date(1, 1, 1), date(9999, 12, 31))


def span(first: date, last: date) -> set[date]:
    """Every day from the first to the last."""
    return {first + timedelta(n) for n in range((last - first).days + 1)}


def covers(days: Days, day: date) -> bool:
    """Whether a day is one of these."""
    return days is None or any(first <= day <= last for first, last in days)


def ranges_of(days: Iterable[date]) -> tuple[Range, ...]:
    """The fewest ranges that hold exactly these days, in order."""
    ranges: list[Range] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == timedelta(1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return tuple(ranges)
