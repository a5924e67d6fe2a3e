"""What one run builds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from data_lake.partitions import Partition
from data_lake.planning.ranges import Days, Range, covers

# Entity, UTC day, source.
PartitionKey = tuple[str, date, str]


# The check of an audit that stands for all dbt tests of the model.
TESTS = "tests"


class Audit(NamedTuple):
    """What a model has to pass after it was built: its dbt tests, or one check of what is expected of it or of raw/."""

    model: str
    check: str


@dataclass(frozen=True)
class Plan:
    """What a run builds.

    `days` are inclusive ranges of UTC days, in order; None means every day up to `as_of` (and a warehouse to be built
    from nothing). `partitions` are the raw partitions that count as built afterwards, `removed` the keys of those
    that no longer exist. `fingerprint` stands for the models and settings, `reason` says in words why these days.

    `entities` are those whose raw partitions differ from what was built; None: everything is built. `as_of_moved`:
    models that depend on the clock have to be built as well. `unaudited` is open since earlier builds: its models are
    built and tested although nothing below them changed. `observed` are the first and the last day that raw/ holds rows
    of.
    """

    as_of: date
    days: Days
    partitions: tuple[Partition, ...]
    removed: tuple[PartitionKey, ...]
    fingerprint: str
    reason: str
    entities: frozenset[str] | None = None
    as_of_moved: bool = True
    unaudited: frozenset[Audit] = frozenset()
    observed: Range | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the warehouse is as a run would leave it, and tested."""
        return self.days == () and not self.as_of_moved and not self.unaudited

    def covers(self, day: date) -> bool:
        return covers(self.days, day)
