"""The days a run was asked for, and the tags of a Dagster run that say so. Imports no Dagster: every run asks this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
# A run with this tag builds what changed since the last build; one without it was asked for the days of its months
# (a backfill) and builds them whether they changed or not.
WINDOW, CHANGED = "fullhouse/window", "changed"
FROM, TO = "fullhouse/from", "fullhouse/to"


class Tagged(Protocol):
    """A Dagster run."""

    @property
    def tags(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Window:
    """The days a person asked for, both included; both None: whatever changed."""

    from_day: date | None = None
    to_day: date | None = None

    def holds(self, day: date) -> bool:
        return (self.from_day is None or day >= self.from_day) and (self.to_day is None or day <= self.to_day)

    @classmethod
    def of(cls, run: Tagged) -> Window:
        """The window of a Dagster run: exact days, else whatever changed, else the months it is a backfill of."""
        tags = run.tags
        if WINDOW in tags or FROM in tags or TO in tags:
            return cls(_day(tags.get(FROM)), _day(tags.get(TO)))
        one = tags.get(PARTITION)
        first, last = _day(tags.get(RANGE_START, one)), _day(tags.get(RANGE_END, one))
        return cls(first, last and _last_day(last))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _last_day(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
